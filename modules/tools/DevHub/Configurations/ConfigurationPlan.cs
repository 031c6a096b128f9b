using System.Collections.Immutable;
using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Configurations;

/// <summary>What all configurations together want of all twins at one moment.</summary>
internal sealed class ConfigurationPlan
{
    private readonly Dictionary<HubIdentity, List<ReadConfiguration>> wanted = [];

    /// <summary>Makes a plan.</summary>
    /// <param name="configurations">Each with whom it means.</param>
    public ConfigurationPlan(
        IEnumerable<(ReadConfiguration Configuration, IReadOnlyList<HubIdentity> Targets)> configurations
    )
    {
        foreach (var (configuration, targets) in configurations)
        {
            foreach (var target in targets)
            {
                if (!wanted.TryGetValue(target, out var list))
                {
                    wanted.Add(target, list = []);
                }
                list.Add(configuration);
            }
        }
    }

    /// <summary>What each twin gets. Of a deployment that is the device's; its state is kept with <c>$edgeAgent</c>, as IoT Hub does.</summary>
    public IEnumerable<TwinPlan> Twins()
    {
        foreach (var (target, configurations) in wanted)
        {
            var deployments = configurations.Where(c => c.Content.Kind == ContentKind.Edge).ToList();
            if (deployments.Count > 0)
            {
                yield return OfDeployments(new(target.DeviceId, SystemModules.EdgeAgent), deployments);
            }
            var others = configurations.Where(c => c.Content.Kind != ContentKind.Edge).ToList();
            if (others.Count > 0)
            {
                yield return new(target, Deployment: false, Ascending(others), Status(others, others));
            }
        }
    }

    // The base of highest priority, and upon it the layers that are higher still.
    private static TwinPlan OfDeployments(HubIdentity agent, List<ReadConfiguration> deployments)
    {
        var bottom = Ascending(deployments.Where(d => d.Content.IsBase)).LastOrDefault();
        ImmutableArray<ReadConfiguration> applied = bottom is null
            ? []
            :
            [
                bottom,
                .. Ascending(
                    deployments.Where(d =>
                        !d.Content.IsBase && d.Configuration.Priority > bottom.Configuration.Priority
                    )
                ),
            ];
        return new(agent, Deployment: true, applied, Status(deployments, applied));
    }

    private static ImmutableArray<ReadConfiguration> Ascending(IEnumerable<ReadConfiguration> configurations) =>
        [.. configurations.OrderBy(c => c.Configuration.Priority).ThenBy(c => c.Configuration.Created)];

    private static ImmutableSortedDictionary<string, ConfigurationStatus> Status(
        IEnumerable<ReadConfiguration> targeted,
        IEnumerable<ReadConfiguration> applied
    )
    {
        var status = targeted.ToImmutableSortedDictionary(
            c => c.Configuration.Id,
            _ => ConfigurationStatus.Targeted,
            StringComparer.Ordinal
        );
        return status.SetItems(
            applied.Select(c => KeyValuePair.Create(c.Configuration.Id, ConfigurationStatus.Applied))
        );
    }
}

/// <summary>A configuration with its content read.</summary>
internal sealed record ReadConfiguration(HubConfiguration Configuration, ConfigurationContent Content);

/// <summary>What configurations want of one twin, or of one Edge device's modules.</summary>
/// <param name="Twin">Whose state it is: the twin's, or <c>$edgeAgent</c>'s for a deployment.</param>
/// <param name="Deployment">It is for the modules of the device.</param>
/// <param name="Applied">What is merged, later over earlier.</param>
/// <param name="Status">What becomes of each configuration then.</param>
internal sealed record TwinPlan(
    HubIdentity Twin,
    bool Deployment,
    ImmutableArray<ReadConfiguration> Applied,
    ImmutableSortedDictionary<string, ConfigurationStatus> Status
)
{
    /// <summary>Tells one plan from another: content never changes, so ids with their times of creation do.</summary>
    public ImmutableArray<string> Marks =>
        [.. Applied.Select(c => $"{c.Configuration.Id}@{c.Configuration.Created.UtcTicks}")];

    /// <summary>What is set in which twin.</summary>
    public IEnumerable<(HubIdentity Twin, IEnumerable<DesiredSetting> Settings)> Settings() =>
        Deployment
            ? Applied
                .SelectMany(c => c.Content.Sections.Keys)
                .Distinct(StringComparer.Ordinal)
                .Select(module => (new HubIdentity(Twin.DeviceId, module), Of(module)))
            : [(Twin, Of(ConfigurationContent.Whole))];

    private IEnumerable<DesiredSetting> Of(string section) =>
        Applied.SelectMany(c => c.Content.Sections.GetValueOrDefault(section, []));
}
