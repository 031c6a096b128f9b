using System.Diagnostics;

namespace EdgeDm.HostAccess.Tests.Support;

/// <summary>A named pipe that a script reads from: a test learns that the script is there, and lets it go on.</summary>
internal sealed class Gate
{
    private readonly string path;

    public Gate(string path)
    {
        this.path = path;
        using var make = Process.Start("mkfifo", [path]);
        make.WaitForExit();
        make.ExitCode.ShouldBe(0);
    }

    /// <summary>Returns when a script waits at the gate; disposing the result lets it through.</summary>
    public async Task<Stream> ReachedAsync() =>
        // Opening a pipe for writing blocks until somebody reads it.
        await Task.Run(() => (Stream)new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 1))
            .WaitAsync(TestGateway.Patience);
}
