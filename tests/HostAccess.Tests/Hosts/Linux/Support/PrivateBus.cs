using System.Diagnostics;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Hosts.Linux.Support;

/// <summary>A real <c>dbus-daemon</c> with its own configuration and socket; never the machine's.</summary>
internal sealed class PrivateBus : IAsyncDisposable
{
    private const string Program = "/usr/bin/dbus-daemon";

    private readonly string folder = Directory.CreateTempSubdirectory("edb").FullName;
    private Process? daemon;

    private PrivateBus() { }

    public string SocketPath => Path.Combine(folder, "bus");

    /// <summary>Starts one, or skips the test where there is none.</summary>
    public static async Task<PrivateBus> StartAsync()
    {
        Assert.SkipUnless(File.Exists(Program), "dbus-daemon is missing. Install it: apt-get install dbus-daemon");
        var bus = new PrivateBus();
        File.WriteAllText(
            Path.Combine(bus.folder, "bus.conf"),
            $"""
            <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
              "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
            <busconfig>
              <listen>unix:path={bus.SocketPath}</listen>
              <auth>EXTERNAL</auth>
              <policy context="default">
                <allow send_destination="*"/>
                <allow receive_sender="*"/>
                <allow own="*"/>
              </policy>
            </busconfig>
            """
        );
        await bus.RestartAsync();
        return bus;
    }

    /// <summary>Ends the daemon, if it runs, and starts it anew.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        daemon = Process.Start(
            new ProcessStartInfo(
                Program,
                ["--nofork", "--nopidfile", "--print-address=1", $"--config-file={Path.Combine(folder, "bus.conf")}"]
            )
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        daemon.BeginErrorReadLine(); // It may not raise its limit of files, and says so at each start.
        // It prints its address when it listens.
        await daemon.StandardOutput.ReadLineAsync().WaitAsync(TestGateway.Patience);
    }

    /// <summary>Ends the daemon as a crash would.</summary>
    public async Task StopAsync()
    {
        if (daemon is not null)
        {
            daemon.Kill();
            await daemon.WaitForExitAsync();
            daemon.Dispose();
            daemon = null;
            File.Delete(SocketPath);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(folder, recursive: true);
    }
}
