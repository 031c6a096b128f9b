using System.Collections.Immutable;
using EdgeDm.Hosting;
using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Configuration;

/// <summary>From host-access.json to <see cref="HostAccessConfiguration"/>.</summary>
internal static class HostAccessConfigurationReader
{
    private const int LongestFile = 256 * 1024;
    private const int LongestList = 64;
    private const int LongestText = 256;
    private const int LongestPath = 1024;
    private const int LongestSocketPath = 107; // The kernel's limit of a socket's path.
    private const int SecondsPerDay = 86_400;
    private const int MostPerHour = 60;
    private const int DefaultRebootExitCode = 129;

    public static HostAccessConfiguration Read(string path)
    {
        var file = ConfigurationNode.Open(ReadFile(path, LongestFile), path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var verbs = file.Optional("verbs");
        var configuration = new HostAccessConfiguration(
            file.Text("host", LongestText) switch
            {
                "simulated" => ReadSimulated(file.Required("simulated"), folder),
                "linux" => ReadLinux(file.Optional("linux")),
                var host => throw file.Wrong("host", $"is '{host}'; this version knows 'linux' and 'simulated'"),
            },
            file.Flag("requireNoNetwork", otherwise: true),
            ReadRoots(file, folder),
            ReadVerbs(verbs),
            ReadCallers(file.Optional("callers")),
            ReadUpdates(file.Optional("updates")),
            ReadHealth(file.Optional("health")),
            ReadFactoryReset(verbs, file.Optional("factoryReset"), folder),
            ReadTime(verbs?.Optional("time"))
        );
        verbs?.RefuseUnread();
        file.RefuseUnread();
        return configuration;
    }

    private static string ReadFile(string path, int longest)
    {
        try
        {
            var length = new FileInfo(path).Length;
            return length <= longest
                ? File.ReadAllText(path)
                : throw new MisconfiguredException($"{path} has {length} bytes; at most {longest} are read.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MisconfiguredException($"{path} cannot be read: {error.Message}");
        }
    }

    private static SimulatedHostOptions ReadSimulated(ConfigurationNode node, string folder)
    {
        var options = new SimulatedHostOptions(
            Path.GetFullPath(node.Text("folder", LongestPath), folder),
            node.Text("manufacturer", LongestText),
            node.Text("model", LongestText),
            node.Text("firmwareVersion", DottedVersion.MaxLength, otherwise: "1.0.0"),
            node.Whole("rebootExitCode", DefaultRebootExitCode, 1, byte.MaxValue)
        );
        if (!DottedVersion.TryParse(options.FirmwareVersion, out _))
        {
            throw node.Wrong("firmwareVersion", "must be whole numbers parted by dots");
        }
        node.RefuseUnread();
        return options;
    }

    private static LinuxHostOptions ReadLinux(ConfigurationNode? node)
    {
        const string SystemBus = "/run/dbus/system_bus_socket";
        if (node is null)
        {
            return new(Manufacturer: null, Model: null, SystemBus, OverrideInhibitors: false);
        }
        var options = new LinuxHostOptions(
            node.Has("manufacturer") ? node.Text("manufacturer", LongestText) : null,
            node.Has("model") ? node.Text("model", LongestText) : null,
            node.Text("dbusSocket", LongestSocketPath, otherwise: SystemBus),
            node.Flag("overrideInhibitors", otherwise: false)
        );
        if (!Path.IsPathRooted(options.DbusSocket))
        {
            throw node.Wrong("dbusSocket", "must be an absolute path");
        }
        node.RefuseUnread();
        return options;
    }

    private static ImmutableArray<string> ReadRoots(ConfigurationNode node, string folder) =>
        [
            .. node.Texts("trustedRoots", TrustedRoots.MaxRoots, LongestPath)
                .Select(root => ReadFile(Path.GetFullPath(root, folder), TrustedRoots.MaxJwkLength)),
        ];

    private static VerbOptions ReadVerbs(ConfigurationNode? node)
    {
        const int DefaultPerHour = 3;
        if (node is null)
        {
            return new(UpdateEnabled: false, RebootEnabled: false, DefaultPerHour);
        }
        var update = node.Optional("update");
        var reboot = node.Optional("reboot");
        var roots = node.Optional("roots");
        var verbs = new VerbOptions(
            update?.Flag("enabled", otherwise: false) ?? false,
            reboot?.Flag("enabled", otherwise: false) ?? false,
            reboot?.Whole("perHour", DefaultPerHour, 1, MostPerHour) ?? DefaultPerHour,
            roots?.Flag("enabled", otherwise: false) ?? false,
            roots?.Has("signatures") == true
                ? roots.Whole("signatures", TrustedRoots.MaxRoots, 1, TrustedRoots.MaxRoots)
                : null
        );
        update?.RefuseUnread();
        reboot?.RefuseUnread();
        roots?.RefuseUnread();
        return verbs;
    }

    private static FactoryResetOptions ReadFactoryReset(
        ConfigurationNode? verbs,
        ConfigurationNode? node,
        string folder
    )
    {
        const int DefaultHookSeconds = 3_600;
        var verb = verbs?.Optional("factoryReset");
        var options = new FactoryResetOptions(
            verb?.Flag("enabled", otherwise: false) ?? false,
            verb?.Whole("perHour", otherwise: 1, 1, MostPerHour) ?? 1,
            Path.GetFullPath(node?.Text("hooks", LongestPath, "factory-reset.d") ?? "factory-reset.d", folder),
            TimeSpan.FromSeconds(
                node?.Whole("hookTimeoutSeconds", DefaultHookSeconds, 1, SecondsPerDay) ?? DefaultHookSeconds
            )
        );
        verb?.RefuseUnread();
        node?.RefuseUnread();
        return options;
    }

    private static TimeOptions ReadTime(ConfigurationNode? verb)
    {
        const int DefaultPerHour = 12;
        const int MostDays = 36_500;
        var options = new TimeOptions(
            verb?.Flag("enabled", otherwise: false) ?? false,
            verb?.Whole("perHour", DefaultPerHour, 1, MostPerHour) ?? DefaultPerHour,
            TimeSpan.FromDays(verb?.Whole("maxStepDays", otherwise: 1, 1, MostDays) ?? 1)
        );
        verb?.RefuseUnread();
        return options;
    }

    private static CallerOptions ReadCallers(ConfigurationNode? node)
    {
        ImmutableArray<uint> self = [OwnUser.Id];
        var callers = new CallerOptions(
            node?.UserIds("verbs", LongestList) ?? self,
            node?.UserIds("inventory", LongestList) ?? self
        );
        node?.RefuseUnread();
        return callers;
    }

    private static UpdateOptions ReadUpdates(ConfigurationNode? node)
    {
        const int DefaultStepSeconds = 3_600;
        const int MostDays = 36_500;
        if (node is null)
        {
            return new([], [], TimeSpan.FromSeconds(DefaultStepSeconds), MaxManifestAge: null);
        }
        var updates = new UpdateOptions(
            node.Texts("handlers", LongestList, LongestText),
            node.Texts("allowReinstallOf", LongestList, LongestText),
            TimeSpan.FromSeconds(node.Whole("stepTimeoutSeconds", DefaultStepSeconds, 1, SecondsPerDay)),
            node.Has("maxManifestAgeDays")
                ? TimeSpan.FromDays(node.Whole("maxManifestAgeDays", MostDays, 1, MostDays))
                : null,
            node.Flag("allowAptDowngrades", otherwise: false)
        );
        foreach (var pair in updates.AllowReinstallOf.Where(pair => pair.Count(c => c == '/') != 1))
        {
            throw node.Wrong("allowReinstallOf", $"lists '{pair}'; a pair is written 'provider/name'");
        }
        node.RefuseUnread();
        return updates;
    }

    private static HealthOptions ReadHealth(ConfigurationNode? node)
    {
        const int DefaultDeadlineSeconds = 600;
        const int DefaultStableSeconds = 10;
        const int MostStableSeconds = 3_600;
        const int DefaultWatchdogSeconds = 60;
        const int MostWatchdogSeconds = 3_600;
        if (node is null)
        {
            return new(
                TimeSpan.FromSeconds(DefaultDeadlineSeconds),
                TimeSpan.FromSeconds(DefaultStableSeconds),
                [],
                RequireUpstream: false,
                TimeSpan.FromSeconds(DefaultWatchdogSeconds)
            );
        }
        var health = new HealthOptions(
            TimeSpan.FromSeconds(node.Whole("deadlineSeconds", DefaultDeadlineSeconds, 1, SecondsPerDay)),
            TimeSpan.FromSeconds(node.Whole("stableSeconds", DefaultStableSeconds, 0, MostStableSeconds)),
            node.Texts("requiredModules", LongestList, LongestText),
            node.Flag("requireUpstream", otherwise: false),
            TimeSpan.FromSeconds(node.Whole("watchdogSeconds", DefaultWatchdogSeconds, 0, MostWatchdogSeconds))
        );
        if (health.Stable >= health.Deadline)
        {
            throw node.Wrong(
                "stableSeconds",
                "must be below deadlineSeconds, or nothing could ever be healthy in time"
            );
        }
        node.RefuseUnread();
        return health;
    }
}
