using System.Globalization;

namespace EdgeDm.VirtualMachine.Tests;

/// <summary>How long an update takes here that nothing disturbs, kept beside the machine that was built.</summary>
internal static class UpdateTime
{
    /// <summary>Until one was measured.</summary>
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(120);

    private static string FilePath => Path.Combine(Machine.Built, "update-seconds");

    public static TimeSpan Read() =>
        File.Exists(FilePath)
            ? TimeSpan.FromSeconds(double.Parse(File.ReadAllText(FilePath), CultureInfo.InvariantCulture))
            : Usual;

    public static void Write(TimeSpan time) =>
        File.WriteAllText(FilePath, time.TotalSeconds.ToString(CultureInfo.InvariantCulture));
}
