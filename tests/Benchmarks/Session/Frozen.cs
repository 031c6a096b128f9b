using System.Diagnostics;
using System.Globalization;

namespace EdgeDm.Benchmarks.Session;

/// <summary>A process that is stopped (SIGSTOP) until this is disposed, or the bench is killed.</summary>
internal sealed class Frozen : IAsyncDisposable
{
    private const string Guard = "trap '' INT; kill -STOP \"$0\" && echo stopped; read -r _; kill -CONT \"$0\"";

    private readonly Process guard;

    private Frozen(Process guard) => this.guard = guard;

    /// <summary>Returns when it is stopped.</summary>
    /// <exception cref="BenchException">It cannot be.</exception>
    public static async Task<Frozen> BeginAsync(int processId, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("bash", ["-c", Guard, processId.ToString(CultureInfo.InvariantCulture)])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var frozen = new Frozen(Process.Start(start)!);
        try
        {
            return await frozen.guard.StandardOutput.ReadLineAsync(cancellationToken) is not null
                ? frozen
                : throw new BenchException($"Process {processId} cannot be stopped.");
        }
        catch
        {
            await frozen.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        guard.StandardInput.Close();
        await guard.WaitForExitAsync(CancellationToken.None);
        guard.Dispose();
    }
}
