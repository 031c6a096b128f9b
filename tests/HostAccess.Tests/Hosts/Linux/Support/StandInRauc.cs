using EdgeDm.HostAccess.Hosts.Linux.DBus;
using EdgeDm.HostAccess.Hosts.Linux.Rauc;

namespace EdgeDm.HostAccess.Tests.Hosts.Linux.Support;

/// <summary>
/// A stand-in for RAUC and a boot loader with two slots on a real bus. That the real ones behave so is shown in containers and in the
/// virtual machine.
/// </summary>
internal sealed class StandInRauc : IAsyncDisposable
{
    private const string Interface = "de.pengutronix.rauc.Installer";

    private readonly string socketPath;
    private readonly Slot[] slots = [new("rootfs.0", "A"), new("rootfs.1", "B")];
    private StandIn service = null!;
    private string operation = "idle";
    private uint installations;

    private StandInRauc(string socketPath) => this.socketPath = socketPath;

    /// <summary>Name of the slot that runs.</summary>
    public string Booted { get; set; } = "rootfs.0";

    /// <summary>Name of the slot that the boot loader takes next.</summary>
    public string Primary { get; set; } = "rootfs.0";

    /// <summary>Null: what is asked for succeeds.</summary>
    public string? Failure { get; set; }

    /// <summary>An installation ends only when <see cref="EndAsync"/> is called.</summary>
    public bool Waits { get; set; }

    /// <summary>RAUC keeps a status of its slots.</summary>
    public bool HasStatus { get; set; } = true;

    public string BundleCompatible { get; set; } = "gateway";

    /// <summary><c>Info</c> is refused, without a word why, as RAUC 1.8 does.</summary>
    public bool IsUnreadable { get; set; }

    public StandIn Service => service;

    public int Installs => Count("InstallBundle");

    /// <summary>Marks in order, such as <c>good booted</c>.</summary>
    public IEnumerable<string> Marks =>
        service.Calls.Where(call => call.Member == "Mark").Select(call => $"{call.Body[0]} {call.Body[1]}");

    public static async Task<StandInRauc> StartAsync(StandInHost host)
    {
        var rauc = new StandInRauc(host.Bus.SocketPath);
        await rauc.ServeAsync();
        host.Services.On("RestartUnit", "o", _ => rauc.Stop());
        return rauc;
    }

    /// <summary>Ends what is under way, well or badly.</summary>
    public async Task EndAsync()
    {
        Finish();
        await SignalEndAsync();
    }

    /// <summary>Ends what is under way; nobody gets to know.</summary>
    public void Finish()
    {
        operation = "idle";
        if (Failure is null)
        {
            var target = slots.Single(slot => slot.Name != Booted);
            target.Installed = ++installations;
            Primary = target.Name;
        }
    }

    /// <summary>The host starts: the boot loader takes the primary slot.</summary>
    public void Boot()
    {
        operation = "idle";
        Booted = Primary;
    }

    public async Task ProgressAsync(int percent) =>
        await service.SignalAsync(
            "/",
            DBusNames.Properties,
            "PropertiesChanged",
            "sa{sv}as",
            [
                Interface,
                new Dictionary<object, object>
                {
                    ["Progress"] = new DBusVariant("(isi)", new object[] { percent, "Copying image", 2 }),
                },
                Array.Empty<object>(),
            ]
        );

    /// <summary>The host has no RAUC.</summary>
    public Task LeaveAsync() => service.LeaveAsync(RaucInstaller.Service);

    public ValueTask DisposeAsync() => service.DisposeAsync();

    private async Task ServeAsync()
    {
        service = await StandIn.StartAsync(socketPath, RaucInstaller.Service);
        service
            .Property(Interface, "Operation", "s", () => operation)
            .Property(Interface, "LastError", "s", () => Failure ?? "")
            .Property(Interface, "Compatible", "s", () => "gateway")
            .On("GetSlotStatus", "a(sa{sv})", _ => [slots.Select(Tell).ToArray<object>()])
            .On("GetPrimary", "s", _ => [Primary])
            .On("Mark", "ss", Mark)
            .On("Info", _ => IsUnreadable ? new("s", ["rauc info error"], "org.gtk.GDBus.UnmappedGError") : Info())
            .On("InstallBundle", "", _ => Install());
    }

    private Answer Info() => new("ss", [BundleCompatible, "2.0"]);

    private object[] Install()
    {
        operation = "installing";
        if (!Waits)
        {
            Finish();
            _ = SignalEndAsync();
        }
        return [];
    }

    private async Task SignalEndAsync() =>
        await service.SignalAsync("/", Interface, "Completed", "i", [Failure is null ? 0 : 1]);

    private object[] Mark(DBusMessage call)
    {
        var slot = call.Read<string>(1) is var name && name == "booted" ? Booted : name;
        switch (call.Read<string>())
        {
            case "active":
                Primary = slot;
                break;
            case "bad" when slot == Primary:
                Primary = slots.Single(other => other.Name != slot).Name;
                break;
            default:
                break;
        }
        return [slot, "marked"];
    }

    private object[] Stop()
    {
        operation = "idle";
        return ["/org/freedesktop/systemd1/job/2"];
    }

    private object Tell(Slot slot)
    {
        var properties = new Dictionary<object, object>
        {
            ["bootname"] = new DBusVariant("s", slot.BootName),
            ["state"] = new DBusVariant("s", slot.Name == Booted ? "booted" : "inactive"),
            ["boot-status"] = new DBusVariant("s", "good"),
        };
        if (HasStatus && slot.Installed > 0)
        {
            properties["installed.timestamp"] = new DBusVariant("s", "2026-01-01T00:00:00Z");
            properties["installed.count"] = new DBusVariant("u", slot.Installed);
            properties["bundle.version"] = new DBusVariant("s", "2.0");
        }
        return new object[] { slot.Name, properties };
    }

    private int Count(string member) => service.Calls.Count(call => call.Member == member);

    private sealed class Slot(string name, string bootName)
    {
        public string Name => name;
        public string BootName => bootName;
        public uint Installed { get; set; }
    }
}
