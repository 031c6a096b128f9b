using System.Globalization;
using System.Runtime.InteropServices;

namespace EdgeDm.Benchmarks;

/// <summary>Where a result comes from: without it the numbers say little.</summary>
/// <param name="Cores">Processors that this process may use.</param>
/// <param name="MemoryGiB">Physical memory, or the container's limit.</param>
/// <param name="System">The kernel.</param>
/// <param name="Architecture">Of the processor.</param>
/// <param name="Runtime">.NET's version.</param>
/// <param name="LoadBefore">One-minute load average when the bench began.</param>
internal sealed record Machine(
    int Cores,
    double MemoryGiB,
    string System,
    string Architecture,
    string Runtime,
    double LoadBefore
)
{
    /// <summary>Work of others takes a good part of the machine, so times and CPU are not to be trusted.</summary>
    public bool IsBusy => LoadBefore > Cores / 2.0;

    /// <summary>This machine, now.</summary>
    public static Machine Read() =>
        new(
            Environment.ProcessorCount,
            Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30), 1),
            RuntimeInformation.OSDescription,
            RuntimeInformation.ProcessArchitecture.ToString(),
            RuntimeInformation.FrameworkDescription,
            double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture)
        );
}
