using EdgeDm.DevHub.Identities;
using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Configurations;

/// <summary>
/// All configurations, and what they did to which twins, in memory and on disk (folders <c>configurations</c> and
/// <c>configured</c>). Safe for use by many threads.
/// </summary>
internal sealed class ConfigurationStore
{
    private static readonly Failpoint Saved = new("configuration", removes: true);
    private static readonly Failpoint TwinSaved = new("configured", removes: true);

    private readonly Lock gate = new();
    private readonly ConfigurationLimits limits;
    private readonly DurableFolder<HubConfiguration> folder;
    private readonly DurableFolder<ConfiguredTwin> twinFolder;
    private readonly Dictionary<string, HubConfiguration> configurations;
    private readonly Dictionary<HubIdentity, ConfiguredTwin> twins;

    /// <summary>Loads all.</summary>
    public ConfigurationStore(string dataFolder, ConfigurationLimits limits, ILogger logger)
    {
        this.limits = limits;
        folder = new(
            Path.Combine(dataFolder, "configurations"),
            ConfigurationJson.Default.HubConfiguration,
            Saved,
            logger
        );
        twinFolder = new(
            Path.Combine(dataFolder, "configured"),
            ConfigurationJson.Default.ConfiguredTwin,
            TwinSaved,
            logger
        );
        configurations = folder.LoadAll().ToDictionary(c => c.Id, StringComparer.Ordinal);
        twins = twinFolder.LoadAll().ToDictionary(t => new HubIdentity(t.DeviceId, t.ModuleId));
    }

    /// <summary>The configuration, or null.</summary>
    public HubConfiguration? Find(string id)
    {
        lock (gate)
        {
            return configurations.GetValueOrDefault(id);
        }
    }

    /// <summary>All configurations, by id.</summary>
    public IReadOnlyList<HubConfiguration> List()
    {
        lock (gate)
        {
            return [.. configurations.Values.OrderBy(c => c.Id, StringComparer.Ordinal)];
        }
    }

    /// <summary>Adds a configuration; on disk when this returns.</summary>
    /// <exception cref="HubException">It is there, or there are too many.</exception>
    public void Add(HubConfiguration configuration)
    {
        lock (gate)
        {
            if (configurations.ContainsKey(configuration.Id))
            {
                throw new HubException(
                    HubError.ConfigurationAlreadyExists,
                    $"There is a configuration '{configuration.Id}' already."
                );
            }
            if (configurations.Count >= limits.MostConfigurations)
            {
                throw new HubException(
                    HubError.ConfigurationCountLimitExceeded,
                    $"There are {limits.MostConfigurations} configurations, which is the most. Delete one first."
                );
            }
            Save(configuration);
        }
    }

    /// <summary>Changes a configuration; on disk when this returns.</summary>
    /// <exception cref="HubException">It is not there, or its etag is another.</exception>
    public HubConfiguration Update(string id, string ifMatch, Func<HubConfiguration, HubConfiguration> change)
    {
        lock (gate)
        {
            var known = Require(id, ifMatch);
            var next = change(known) with { Revision = known.Revision + 1 };
            Save(next);
            return next;
        }
    }

    /// <summary>Removes a configuration. What it set in twins stays until something else is set.</summary>
    /// <exception cref="HubException">It is not there, or its etag is another.</exception>
    public void Delete(string id, string? ifMatch)
    {
        lock (gate)
        {
            Require(id, ifMatch);
            folder.Delete(NameOf(id));
            configurations.Remove(id);
        }
    }

    /// <summary>What configurations did to a twin; null = nothing.</summary>
    public ConfiguredTwin? Of(HubIdentity twin)
    {
        lock (gate)
        {
            return twins.GetValueOrDefault(twin);
        }
    }

    /// <summary>All twins that configurations mean or meant.</summary>
    public IReadOnlyList<ConfiguredTwin> Twins()
    {
        lock (gate)
        {
            return [.. twins.Values];
        }
    }

    /// <summary>Keeps what configurations did to a twin.</summary>
    public void Save(ConfiguredTwin twin)
    {
        lock (gate)
        {
            var id = new HubIdentity(twin.DeviceId, twin.ModuleId);
            twinFolder.Save(NameOf(id.ToString()), twin);
            twins[id] = twin;
        }
    }

    /// <summary>Forgets a twin that is gone.</summary>
    public void Forget(HubIdentity twin)
    {
        lock (gate)
        {
            if (twins.Remove(twin))
            {
                twinFolder.Delete(NameOf(twin.ToString()));
            }
        }
    }

    /// <summary>The error of a configuration that is not there.</summary>
    public static HubException NotFound(string id) =>
        new(HubError.ConfigurationNotFound, $"There is no configuration '{id}'.");

    private HubConfiguration Require(string id, string? ifMatch)
    {
        var known = configurations.GetValueOrDefault(id) ?? throw NotFound(id);
        return ifMatch is null or "*" || ifMatch == known.ETag
            ? known
            : throw new HubException(
                HubError.PreconditionFailed,
                $"The configuration '{id}' was changed meanwhile: its etag is not the one given in If-Match."
            );
    }

    private void Save(HubConfiguration configuration)
    {
        folder.Save(NameOf(configuration.Id), configuration);
        configurations[configuration.Id] = configuration;
    }

    private static string NameOf(string id) => RecordNames.Of("configuration", id, id);
}
