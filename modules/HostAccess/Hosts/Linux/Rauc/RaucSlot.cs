using System.Collections.Immutable;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Hosts.Linux.DBus;

namespace EdgeDm.HostAccess.Hosts.Linux.Rauc;

/// <summary>The slots at one moment.</summary>
/// <param name="All">In RAUC's order.</param>
internal sealed record RaucSlots(ImmutableArray<RaucSlot> All)
{
    /// <summary>The one that runs.</summary>
    /// <exception cref="EdgeDmException"><c>hostServiceRefused</c>: RAUC does not know.</exception>
    public RaucSlot Booted =>
        All.FirstOrDefault(slot => slot.IsBooted)
        ?? throw ErrorRegistry.HostServiceRefused.Refusal(
            RaucInstaller.Service,
            "RAUC does not know from which slot the host was started."
        );
}

/// <summary>A slot as RAUC tells it (RAUC documentation, "GetSlotStatus").</summary>
/// <param name="Name">For example <c>rootfs.0</c>.</param>
/// <param name="BootName">The boot loader's name of it; null for one that is not booted itself.</param>
/// <param name="State"><c>booted</c>, <c>active</c> or <c>inactive</c>.</param>
/// <param name="BundleVersion">Of the bundle that was installed into it last; null when none was, or RAUC keeps no status.</param>
/// <param name="Installed">Changes with each finished installation into it; null when none was, or RAUC keeps no status.</param>
internal sealed record RaucSlot(string Name, string? BootName, string State, string? BundleVersion, string? Installed)
{
    /// <summary>It runs.</summary>
    public bool IsBooted => State == "booted" && IsBootable;

    /// <summary>The boot loader can take it.</summary>
    public bool IsBootable => BootName is not null;

    /// <summary>Reads one element of the answer.</summary>
    /// <exception cref="DBusFormatException">It is none.</exception>
    public static RaucSlot Of(object[] slot)
    {
        var properties = (Dictionary<object, object>)slot[1];
        return new(
            (string)slot[0],
            Text("bootname"),
            Text("state") ?? "",
            Text("bundle.version"),
            Text("installed.timestamp") is { } time ? $"{time} {Value("installed.count")}" : null
        );

        object? Value(string name) => properties.TryGetValue(name, out var value) ? ((DBusVariant)value).Value : null;

        string? Text(string name) => Value(name) as string;
    }
}
