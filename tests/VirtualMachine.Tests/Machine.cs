using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using EdgeDm.Testing;

namespace EdgeDm.VirtualMachine.Tests;

/// <summary>
/// A virtual machine of its own disk, begun from the snapshot that <c>scripts/vm build</c> made: everything has started, and no gateway is
/// configured yet.
/// </summary>
internal sealed class Machine : IAsyncDisposable
{
    /// <summary>For a whole start, while others use the processors as well.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>The firmware's first words come within seconds of a reset, or never: the emulator's may hang there.</summary>
    private static readonly TimeSpan LongestReset = TimeSpan.FromSeconds(60);

    private readonly string folder;
    private readonly int sshPort;
    private readonly CancellationTokenSource disposed = new();
    private readonly SemaphoreSlim power = new(1);
    private readonly Task watchdog;
    private Process? qemu;

    private Machine()
    {
        folder = Directory.CreateDirectory(Path.Combine(Built, "cases", $"{Guid.NewGuid():N}"[..8])).FullName;
        sshPort = FreePort();
        watchdog = WatchResetsAsync();
    }

    /// <summary>What <c>scripts/vm build</c> made.</summary>
    public static string Built =>
        Environment.GetEnvironmentVariable("EDGEDM_VM_FOLDER") is { Length: > 0 } given
            ? given
            : Path.Combine(RepositoryRoot.Path, ".edgedm", "vm");

    /// <summary>Every line that the guest's journal had in this case, up to the moment of a power cut.</summary>
    public string Journal => ReadLog("journal.log");

    /// <summary>How often a restart of the guest hung in the emulator's firmware, and the power was cut once more to go on.</summary>
    public int HungResets { get; private set; }

    private string Disk => Path.Combine(folder, "disk.qcow2");

    /// <summary>Goes on from the snapshot, by the present time.</summary>
    public static async Task<Machine> StartAsync()
    {
        var machine = new Machine();
        try
        {
            var below = Path.Combine(Built, "disk.qcow2");
            await RunHereAsync("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", below, machine.Disk);
            machine.Start("-incoming", $"exec:cat '{Path.Combine(Built, "memory")}'");
            await machine.WaitUntilUpAsync();
            var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            await machine.RunAsync($"date --set=@{now}");
            return machine;
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }
    }

    /// <summary>Cuts the power.</summary>
    public async Task CutAsync()
    {
        await power.WaitAsync();
        try
        {
            await KillAsync();
        }
        finally
        {
            power.Release();
        }
    }

    /// <summary>Starts from the disk. Returns before the guest is up.</summary>
    public void PowerOn() => Start();

    /// <summary>Returns when a command can be run in it.</summary>
    public Task WaitUntilUpAsync() => HubService.WaitAsync(() => TryAsync("echo up"), Patience);

    /// <summary>Runs a command in it that must succeed, and returns what it printed.</summary>
    /// <param name="command">For its shell.</param>
    /// <param name="input">For the command.</param>
    public async Task<string> RunAsync(string command, string input = "")
    {
        var (exitCode, output) = await SshAsync(input, command);
        exitCode.ShouldBe(0, $"{command}: {output}\n{Tail(Journal)}");
        return output;
    }

    /// <summary>The same; null when it fails, or the machine is not there.</summary>
    public async Task<string?> TryAsync(string command)
    {
        var (exitCode, output) = await SshAsync("", command);
        return exitCode == 0 ? output : null;
    }

    /// <summary>Makes a Unix socket of the guest one of this machine, for root there, until it is disposed of.</summary>
    public async Task<Tunnel> ForwardAsync(string guestSocket)
    {
        var tunnel = new Tunnel(
            Path.Combine(folder, "s"),
            here => Launch("ssh", [.. SshOptions, "-N", "-L", $"{here}:{guestSocket}", "root@127.0.0.1"])
        );
        await HubService.WaitAsync(() => Task.FromResult(File.Exists(tunnel.Socket) ? tunnel : null));
        return tunnel;
    }

    public async ValueTask DisposeAsync()
    {
        await disposed.CancelAsync();
        await watchdog;
        if (qemu is not null)
        {
            await CutAsync();
        }
        disposed.Dispose();
        power.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>The end of a log, for what a test says when it fails.</summary>
    public static string Tail(string log) => log[^Math.Min(log.Length, 20_000)..];

    private string[] SshOptions =>
        [
            .. new[] { "-q", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "ConnectTimeout=5" },
            .. new[] { "-o", "UserKnownHostsFile=/dev/null", "-o", "ServerAliveInterval=5" },
            .. new[] { "-i", Path.Combine(Built, "id_ed25519"), "-p", $"{sshPort}" },
        ];

    private void Start(params string[] options) =>
        qemu = Launch(
            Path.Combine(RepositoryRoot.Path, "tests", "VirtualMachine", "qemu"),
            [folder, Disk, $"{sshPort}", .. options]
        );

    private async Task KillAsync()
    {
        qemu!.Kill();
        await qemu.WaitForExitAsync(CancellationToken.None);
        qemu.Dispose();
        qemu = null;
    }

    /// <summary>What a board's watchdog does: a guest whose kernel has asked for a reset, and whose firmware then says nothing, is started again.</summary>
    private async Task WatchResetsAsync()
    {
        using var timer = new PeriodicTimer(LongestReset / 6);
        var (seen, since) = ("", Stopwatch.GetTimestamp());
        try
        {
            while (await timer.WaitForNextTickAsync(disposed.Token))
            {
                var console = ReadLog("console.log");
                if (console != seen)
                {
                    (seen, since) = (console, Stopwatch.GetTimestamp());
                }
                var isResetting = console.TrimEnd().EndsWith("reboot: Restarting system", StringComparison.Ordinal);
                if (isResetting && Stopwatch.GetElapsedTime(since) >= LongestReset)
                {
                    await StartAgainAsync();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The machine is disposed of.
        }
    }

    private async Task StartAgainAsync()
    {
        await power.WaitAsync();
        try
        {
            if (qemu is not null)
            {
                HungResets++;
                await KillAsync();
                Start();
            }
        }
        finally
        {
            power.Release();
        }
    }

    private async Task<(int ExitCode, string Output)> SshAsync(string input, string command)
    {
        using var ssh = Launch("ssh", [.. SshOptions, "root@127.0.0.1", command]);
        await ssh.StandardInput.WriteAsync(input);
        ssh.StandardInput.Close();
        var error = ssh.StandardError.ReadToEndAsync();
        var output = await ssh.StandardOutput.ReadToEndAsync();
        await ssh.WaitForExitAsync();
        return (ssh.ExitCode, (output + await error).Trim());
    }

    private static async Task RunHereAsync(string program, params string[] arguments)
    {
        using var process = Launch(program, arguments);
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, $"{program}: {error}");
    }

    private static Process Launch(string program, IEnumerable<string> arguments) =>
        Process.Start(
            new ProcessStartInfo(program, arguments)
            {
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;

    private string ReadLog(string name)
    {
        var path = Path.Combine(folder, name);
        if (!File.Exists(path))
        {
            return "";
        }
        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>A socket of the guest on this machine.</summary>
internal sealed class Tunnel(string socket, Func<string, Process> open) : IDisposable
{
    private readonly Process ssh = open(socket);

    public string Socket => socket;

    public void Dispose()
    {
        ssh.Kill();
        ssh.Dispose();
    }
}
