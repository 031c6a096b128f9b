using System.Text.Json.Nodes;
using System.Threading.Channels;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Queries;
using EdgeDm.DevHub.Twins;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Configurations;

/// <summary>
/// Keeps twins as configurations want them: looks at all conditions whenever something changed, and writes to a twin when other
/// configurations mean it than before. What a service writes to the twin in between stays, as at IoT Hub.
/// </summary>
/// <param name="store">The configurations.</param>
/// <param name="identities">For whose modules there are.</param>
/// <param name="twins">What is written.</param>
/// <param name="targets">Whom a condition means at this moment.</param>
/// <param name="limits">How often.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Told of what cannot be applied.</param>
internal sealed partial class ConfigurationEngine(
    ConfigurationStore store,
    IdentityRegistry identities,
    TwinStore twins,
    Func<Query, IEnumerable<HubIdentity>> targets,
    ConfigurationLimits limits,
    TimeProvider time,
    ILogger<ConfigurationEngine> logger
) : ITwinObserver, IAsyncDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private readonly Channel<bool> changes = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }
    );
    private Task running = Task.CompletedTask;

    /// <summary>Begins, with what changed while no hub ran.</summary>
    public void Start()
    {
        twins.Observe(this);
        identities.Observe(OnChanged);
        Wake();
        running = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>Something changed that conditions may look at.</summary>
    public void Wake() => changes.Writer.TryWrite(true);

    /// <inheritdoc/>
    public void OnDesiredChanged(Twin twin, JsonObject changed) { }

    /// <inheritdoc/>
    public void OnWritten(HubIdentity id) => Wake();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await running;
        stopping.Dispose();
    }

    private void OnChanged(IdentityChange change)
    {
        if (change.After is null)
        {
            store.Forget(change.Id);
        }
        Wake();
    }

    private async Task RunAsync()
    {
        try
        {
            while (await changes.Reader.WaitToReadAsync(stopping.Token))
            {
                changes.Reader.TryRead(out _);
                if (store.List().Count == 0 && store.Twins().Count == 0)
                {
                    continue;
                }
                Look();
                await Task.Delay(limits.EffectiveInterval, time, stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The hub stops.
        }
    }

    private void Look()
    {
        try
        {
            var plan = new ConfigurationPlan(store.List().Select(Read));
            var planned = plan.Twins().ToDictionary(twin => twin.Twin);
            foreach (var twin in planned.Values)
            {
                Apply(twin);
            }
            foreach (var left in store.Twins())
            {
                var id = new HubIdentity(left.DeviceId, left.ModuleId);
                if (!planned.ContainsKey(id))
                {
                    store.Forget(id);
                }
            }
        }
        catch (Exception error)
        {
            // Tried again at the next change; the loop must not end.
            LogFailed(logger, error);
        }
    }

    private (ReadConfiguration, IReadOnlyList<HubIdentity>) Read(HubConfiguration configuration)
    {
        var content = ConfigurationContent.Parse(JsonObject.Create(configuration.Content)!);
        IReadOnlyList<HubIdentity> meant =
            configuration.TargetCondition.Length == 0
                ? []
                : [.. targets(QueryParser.ParseCondition(configuration.TargetCondition))];
        return (
            new(configuration, content),
            content.Kind switch
            {
                ContentKind.Edge => [.. meant.Where(id => identities.Find(id) is { IotEdge: true })],
                // Those are set by deployments alone.
                ContentKind.Module => [.. meant.Where(id => !SystemModules.Has(id.ModuleId))],
                _ => meant,
            }
        );
    }

    private void Apply(TwinPlan plan)
    {
        var known = store.Of(plan.Twin);
        if (known is not null && known.Applied.SequenceEqual(plan.Marks) && SameStatus(known, plan))
        {
            return;
        }
        try
        {
            if (known is null || !known.Applied.SequenceEqual(plan.Marks))
            {
                Write(plan);
            }
            // Behind the write: a kill in between writes the same again, which changes nothing.
            store.Save(new(plan.Twin.DeviceId, plan.Twin.ModuleId, plan.Marks, plan.Status));
        }
        catch (HubException error)
        {
            LogNotApplied(logger, plan.Twin, string.Join(", ", plan.Status.Keys), error.Message);
            var targeted = plan.Status.ToDictionary(s => s.Key, _ => ConfigurationStatus.Targeted);
            var failed = plan with { Status = plan.Status.SetItems(targeted) };
            if (known is null || !SameStatus(known, failed))
            {
                store.Save(new(plan.Twin.DeviceId, plan.Twin.ModuleId, [], failed.Status));
            }
        }
    }

    private void Write(TwinPlan plan)
    {
        var settings = plan.Settings().ToList();
        if (plan.Deployment)
        {
            DeploymentModules.Ensure(identities, plan.Twin.DeviceId, settings);
        }
        foreach (var (twin, wanted) in settings)
        {
            Write(twin, [.. wanted]);
        }
    }

    private void Write(HubIdentity id, IReadOnlyList<DesiredSetting> settings)
    {
        while (true)
        {
            var twin = twins.Get(id);
            var before = JsonObject.Create(twin.Desired.Properties)!;
            var after = settings.Aggregate(before, (desired, setting) => setting.Into(desired));
            var patch = MergePatch.Between(before, after);
            if (patch.Count == 0)
            {
                return;
            }
            try
            {
                twins.Write(id, new(Tags: null, patch, Replace: false, twin.ETag));
                return;
            }
            catch (HubException error) when (error.Error == HubError.PreconditionFailed)
            {
                // A service was quicker: once more, upon what it wrote.
            }
        }
    }

    private static bool SameStatus(ConfiguredTwin known, TwinPlan plan) => known.Status.SequenceEqual(plan.Status);

    [LoggerMessage(Level = LogLevel.Error, Message = "The configurations cannot be looked at")]
    private static partial void LogFailed(ILogger logger, Exception error);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Configurations cannot be applied to {Twin} ({Configurations}): {Reason}"
    )]
    private static partial void LogNotApplied(ILogger logger, HubIdentity twin, string configurations, string reason);
}
