using EdgeDm.Testing;

namespace EdgeDm.Containers.Tests;

/// <summary>
/// A container with systemd as its init, which plays the gateway's operating system (<c>Host/build-image</c>). It shares a folder with the
/// sidecar for D-Bus, and nothing with this machine but the kernel.
/// </summary>
internal sealed class HostMachine : IAsyncDisposable
{
    // Beside Docker's own: systemd mounts file systems. Never SYS_TIME, for the clock is this machine's, nor SYS_BOOT: without it systemd
    // ends where it would reboot, and Docker starts it again.
    private const string Capability = "SYS_ADMIN";

    private const string OsRelease = "/etc/os-release";

    private HostMachine(string name) => Name = name;

    /// <summary>Name of the container.</summary>
    public string Name { get; }

    /// <summary>Starts it, and returns when systemd has started everything.</summary>
    /// <param name="root">Folder in which its shared folders lie, each at its own path.</param>
    public static async Task<HostMachine> StartAsync(string root)
    {
        var machine = new HostMachine($"edgedm-test-{Guid.NewGuid():N}");
        string[] shared = ["/run/dbus", "/var/lib/edgedm/host-access"];
        foreach (var folder in shared)
        {
            Directory.CreateDirectory(root + folder);
        }
        await DockerCli.RunAsync([
            .. new[] { "run", "--detach", "--name", machine.Name, "--restart", "always", "--network", "none" },
            .. new[] { "--stop-signal", "SIGRTMIN+3", "--cap-add", Capability, "--security-opt", "seccomp=unconfined" },
            .. new[] { "--security-opt", "apparmor=unconfined" },
            .. new[] { "--cgroupns=host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw" },
            .. new[] { "--tmpfs", "/run", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec" },
            .. shared.SelectMany(folder => new[] { "--volume", $"{root}{folder}:{folder}" }),
            "edgedm-test/host",
        ]);
        try
        {
            await machine.WaitUntilUpAsync();
            Directory.CreateDirectory(root + "/etc");
            var release = await DockerCli.RunAsync("exec", machine.Name, "cat", OsRelease);
            await File.WriteAllTextAsync(root + OsRelease, release + "\n");
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

    public async ValueTask DisposeAsync() => await DockerCli.RunAsync("rm", "--force", "--volumes", Name);
}
