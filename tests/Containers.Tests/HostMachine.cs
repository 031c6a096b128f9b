using EdgeDm.Testing;

namespace EdgeDm.Containers.Tests;

/// <summary>
/// A container with systemd as its init, which plays the gateway's operating system (<c>Host/build-image</c>): its two slots are images in
/// its own file system, and its first unit is the boot loader. It shares folders with the modules, and nothing with this machine but the
/// kernel.
/// </summary>
internal sealed class HostMachine : IAsyncDisposable
{
    /// <summary>Where the host keeps HostAccess's socket for DeviceManagement.</summary>
    public const string VerbsFolder = "/run/edgedm/verbs";

    // Beside Docker's own: systemd mounts file systems. Never SYS_TIME, for the clock is this machine's, nor SYS_BOOT: without it systemd
    // ends where it would reboot, and Docker starts it again.
    private const string Capability = "SYS_ADMIN";

    // Loop devices, for the images of slots and bundles. They go when what is mounted from them goes, at the latest with the container.
    private static readonly string[] Devices = ["b 7:* rwm", "c 10:237 rwm"];

    private static readonly string[] SharedFolders = ["/run/dbus", VerbsFolder, "/var/lib/edgedm/host-access"];

    // The booted system writes its own into it at each start.
    private const string OsRelease = "/etc/os-release";

    private HostMachine(string name) => Name = name;

    /// <summary>Name of the container.</summary>
    public string Name { get; }

    /// <summary>Starts it, and returns when systemd has started everything.</summary>
    /// <param name="root">Folder in which its shared folders lie, each at its own path.</param>
    public static async Task<HostMachine> StartAsync(string root)
    {
        var machine = new HostMachine($"edgedm-test-{Guid.NewGuid():N}");
        foreach (var folder in SharedFolders)
        {
            Directory.CreateDirectory(root + folder);
        }
        Directory.CreateDirectory(root + "/etc");
        await File.WriteAllTextAsync(root + OsRelease, "");
        await DockerCli.RunAsync([
            .. new[] { "run", "--detach", "--name", machine.Name, "--restart", "always", "--network", "none" },
            .. new[] { "--cap-add", Capability, "--security-opt", "seccomp=unconfined" },
            .. new[] { "--security-opt", "apparmor=unconfined" },
            .. Devices.SelectMany(rule => new[] { "--device-cgroup-rule", rule }),
            .. new[] { "--cgroupns=host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw" },
            .. new[] { "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec" },
            .. SharedFolders.Append(OsRelease).SelectMany(path => new[] { "--volume", $"{root}{path}:{path}" }),
            "edgedm-test/gateway",
        ]);
        try
        {
            await machine.WaitUntilUpAsync();
            return machine;
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns when systemd has started everything.</summary>
    public Task WaitUntilUpAsync() =>
        HubService.WaitAsync(async () =>
            await DockerCli.TryAsync("exec", Name, "systemctl", "is-system-running") is "running" or "degraded"
                ? Name
                : null
        );

    /// <summary>Returns when a file is there.</summary>
    public Task WaitForFileAsync(string path) =>
        HubService.WaitAsync(async () => await DockerCli.TryAsync("exec", Name, "ls", path) == path ? path : null);

    /// <summary>Puts a file or folder of this machine into it.</summary>
    public Task CopyAsync(string from, string to) => DockerCli.RunAsync("cp", from, $"{Name}:{to}");

    /// <summary>Runs a program in it, which must succeed, and returns what it printed.</summary>
    public Task<string> RunAsync(params string[] command) => DockerCli.RunAsync(["exec", Name, .. command]);

    /// <summary>The lines of a file.</summary>
    public async Task<string[]> LinesAsync(string path) => (await RunAsync("cat", path)).Split('\n');

    /// <summary>The starts of its system, first to last: the slot, or that it did not start.</summary>
    public Task<string[]> StartsAsync() => LinesAsync("/var/lib/gateway/boots");

    public async ValueTask DisposeAsync() => await DockerCli.RunAsync("rm", "--force", "--volumes", Name);
}
