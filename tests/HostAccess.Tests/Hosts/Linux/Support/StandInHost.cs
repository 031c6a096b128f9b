using System.Collections.Concurrent;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Hosts.Linux;
using EdgeDm.HostAccess.Hosts.Linux.DBus;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Hosts.Linux.Support;

/// <summary>
/// A stand-in for systemd, its login manager and its time service on a real bus: they say what a test tells them to. That the real ones
/// say so is shown by <see cref="RealHostTests"/>.
/// </summary>
internal sealed class StandInHost : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("edh").FullName;

    private StandInHost(PrivateBus bus, StandIn services)
    {
        Bus = bus;
        Services = services;
    }

    public PrivateBus Bus { get; }
    public StandIn Services { get; private set; }
    public LogSignals Logs { get; } = new();

    /// <summary>Microseconds of the monotonic clock at which systemd started.</summary>
    public ulong Start { get; set; } = 5_000_000;

    /// <summary>Microseconds, as systemd has it.</summary>
    public ulong Watchdog { get; set; }

    /// <summary>What systemd says of a unit; a unit that is not here is not loaded.</summary>
    public ConcurrentDictionary<string, StandInUnit> Units { get; } = new(StringComparer.Ordinal);

    public string Data => Path.Combine(folder, "data");

    public string Root => Path.Combine(folder, "root");

    public static async Task<StandInHost> StartAsync()
    {
        var bus = await PrivateBus.StartAsync();
        var host = new StandInHost(bus, null!);
        host.Write("etc/os-release", "VERSION_ID=1.2\n");
        host.Write("proc/sys/kernel/random/boot_id", "0b0c\n");
        await host.ServeAsync();
        return host;
    }

    /// <summary>The services come onto the bus, anew when they were there.</summary>
    public async Task ServeAsync()
    {
        Services = await StandIn.StartAsync(Bus.SocketPath, Systemd.Service, Logind.Service, Timedated.Service);
        Services
            .Property(Systemd.Manager, "UserspaceTimestampMonotonic", "t", () => Start)
            .Property(Systemd.Manager, "RuntimeWatchdogUSec", "t", () => Watchdog)
            .On("Set", "", SetWatchdog)
            .On("GetMachineId", "s", _ => ["00112233445566778899aabbccddeeff"])
            .On("GetUnit", GetUnit)
            .On("GetProcesses", "a(sus)", call => [Of(call).Processes])
            .On("StartTransientUnit", "o", StartUnit)
            .On("KillUnit", "", call => Units[call.Read<string>()].Empty());
        foreach (var (name, signature) in StandInUnit.Properties)
        {
            Services.Property(Systemd.Unit, name, signature, () => Units.Values.First().Of(name));
            Services.Property(Systemd.ServiceUnit, name, signature, () => Units.Values.First().Of(name));
        }
    }

    public Task<LinuxHost> OpenAsync(bool overrideInhibitors = false, TimeProvider? time = null) =>
        LinuxHost.OpenAsync(
            new LinuxHostOptions("Contoso", "Gateway", Bus.SocketPath, overrideInhibitors),
            Data,
            time ?? TimeProvider.System,
            Logs,
            Root
        );

    public async ValueTask DisposeAsync()
    {
        await Services.DisposeAsync();
        await Bus.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private object[] SetWatchdog(DBusMessage call)
    {
        (call.Read<string>(), call.Read<string>(1)).ShouldBe((Systemd.Manager, "RuntimeWatchdogUSec"));
        Watchdog = (ulong)call.Read<DBusVariant>(2).Value;
        return [];
    }

    private object[] StartUnit(DBusMessage call)
    {
        Units[call.Read<string>()] = new();
        return ["/org/freedesktop/systemd1/job/1"];
    }

    private Answer GetUnit(DBusMessage call) =>
        Units.ContainsKey(call.Read<string>())
            ? new("o", ["/org/freedesktop/systemd1/unit/one"])
            : new("s", ["not loaded"], Systemd.NoSuchUnit);

    private StandInUnit Of(DBusMessage call) =>
        call.Path == "/org/freedesktop/systemd1/unit/one" ? Units.Values.First() : new();

    /// <summary>Makes a file of the host.</summary>
    public void Write(string path, string text)
    {
        var full = Path.Combine(Root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }
}

/// <summary>A unit as systemd tells of it.</summary>
internal sealed class StandInUnit
{
    public static readonly (string Name, string Signature)[] Properties =
    [
        ("SubState", "s"),
        ("Job", "(uo)"),
        ("Result", "s"),
        ("ExecMainCode", "i"),
        ("ExecMainStatus", "i"),
    ];

    public string SubState { get; init; } = "running";
    public uint Job { get; init; }
    public string Result { get; init; } = "success";
    public int Code { get; init; }
    public int Status { get; init; }
    public object[] Processes { get; set; } = [];

    public object Of(string property) =>
        property switch
        {
            "SubState" => SubState,
            "Job" => new object[] { Job, "/" },
            "Result" => Result,
            "ExecMainCode" => Code,
            _ => Status,
        };

    /// <summary>Whoever was in it was killed.</summary>
    public object[] Empty()
    {
        Processes = [];
        return [];
    }
}
