using System.Diagnostics;

namespace EdgeDm.HostAccess.Tests.Support;

/// <summary>A named pipe that a script reads from: a test learns that the script is there, and lets it go on.</summary>
internal sealed class Gate
{
    private readonly string path;

    public Gate(string path)
    {
        this.path = path;
        Make(path);
    }

    /// <summary>
    /// Returns when a script waits at the gate; disposing the result lets it through. Whoever comes later waits for the next call: a script
    /// that is run again must not walk through behind the one before.
    /// </summary>
    public async Task<Stream> ReachedAsync()
    {
        var next = path + ".next";
        Make(next);
        // Opening a pipe for writing blocks until somebody reads it.
        var reached = await Task.Run(() =>
                new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 1)
            )
            .WaitAsync(TestGateway.Patience);
        File.Move(next, path, overwrite: true);
        return reached;
    }

    private static void Make(string path)
    {
        using var make = Process.Start("mkfifo", [path]);
        make.WaitForExit();
        make.ExitCode.ShouldBe(0);
    }
}
