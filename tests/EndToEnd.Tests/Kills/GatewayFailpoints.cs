using System.Reflection;
using EdgeDm.Durable;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests.Kills;

/// <summary>The failpoints of the four programs, found in their code: every static field of type <see cref="Failpoint"/>.</summary>
internal static class GatewayFailpoints
{
    /// <summary>All points by module; those of a library stand with every module that uses it.</summary>
    public static IReadOnlyList<(string Module, string Point)> All { get; } =
    [.. Gateway.Modules.SelectMany(module => PointsOf(module).Select(point => (module, point)))];

    /// <summary>Those that are passed in a gateway's life.</summary>
    public static IReadOnlyList<(string Module, string Point)> Passed { get; } =
    [
        .. All.Where(p =>
            !Idle.Any(idle => p.Module == idle.Module && p.Point.StartsWith(idle.Name, StringComparison.Ordinal))
        ),
    ];

    /// <summary>Writes that a module does not make in that life.</summary>
    private static IEnumerable<(string Module, string Name)> Idle =>
        [
            ("FirmwareDownload", "reported"), // Only DeviceManagement reports.
            ("Telemetry", "reported"),
            ("Telemetry", "outbox"), // What it sends may be thinned: it waits in memory and is written once an hour.
            ("DeviceManagement", "outbox.thinned"), // Neither of these sends anything that may be thinned.
            ("FirmwareDownload", "outbox.thinned"),
            ("HostAccess", "host.reset"), // In this life no gateway is reset and no clock set; their own tests kill it there.
            ("HostAccess", "host.time"),
        ];

    private static IEnumerable<string> PointsOf(string module)
    {
        var folder = Path.GetDirectoryName(BuiltProgram.PathOf(module))!;
        return Directory
            .EnumerateFiles(folder, "EdgeDm.*.dll")
            .Order(StringComparer.Ordinal)
            .Select(Assembly.LoadFrom)
            .SelectMany(assembly => assembly.GetTypes())
            .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Where(field => field.FieldType == typeof(Failpoint) && !field.DeclaringType!.ContainsGenericParameters)
            .SelectMany(field => ((Failpoint)field.GetValue(null)!).Points)
            .Order(StringComparer.Ordinal);
    }
}
