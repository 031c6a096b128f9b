using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.ModuleHost;
using EdgeDm.Objects;
using EdgeDm.Telemetry.Inventory;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Telemetry.Observing;

/// <summary>
/// Reads the host, lets the engine decide and posts what is due, whether the hub is there or not. While it is away the values wait, of
/// each set of resources that is told together the newest always, older ones thinned (<see cref="PostKind.Thinned"/>).
/// </summary>
internal sealed partial class Observer : IDisposable
{
    private readonly Lock gate = new();
    private readonly SemaphoreSlim wake = new(0);
    private readonly IModuleHub hub;
    private readonly IInventoryReader reader;
    private readonly TelemetryOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly ObserveEngine engine;
    private long? sampledAt;
    private bool hostAway;

    /// <summary>Until the next reading while HostAccess is away: short at first, because at a gateway's start it is only late.</summary>
    private TimeSpan awayInterval;

    /// <summary>Begins with this list.</summary>
    public Observer(
        IModuleHub hub,
        IInventoryReader reader,
        IReadOnlyDictionary<string, ObserveAttributes> observed,
        TelemetryOptions options,
        TimeProvider time,
        ILogger logger
    )
    {
        this.hub = hub;
        this.reader = reader;
        this.options = options;
        this.time = time;
        this.logger = logger;
        engine = new(time);
        Replace(observed);
    }

    /// <summary>Observes exactly these from now on; what stays observed keeps its periods running.</summary>
    public void Replace(IReadOnlyDictionary<string, ObserveAttributes> observed)
    {
        lock (gate)
        {
            foreach (var gone in engine.Resources.Where(r => !observed.ContainsKey(r)).ToList())
            {
                engine.Forget(gone);
            }
            foreach (var (resource, attributes) in observed)
            {
                engine.Observe(resource, attributes);
            }
            sampledAt = null; // A new resource has no value yet.
        }
        Wake();
    }

    /// <summary>Works until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        while (true)
        {
            if (IsSampleDue())
            {
                await SampleAsync(cancel);
            }
            SendDue();
            await WaitAsync(cancel);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => wake.Dispose();

    /// <summary>
    /// Time to read: none yet, or the interval has passed, or something will be sent now and the last reading is not of
    /// this moment.
    /// </summary>
    private bool IsSampleDue()
    {
        lock (gate)
        {
            if (engine.Resources.Count == 0)
            {
                return false;
            }
            if (sampledAt is not { } at)
            {
                return true;
            }
            var age = time.GetElapsedTime(at);
            return age >= Interval() || (engine.NextDue == TimeSpan.Zero && age >= options.LeastSampleInterval);
        }
    }

    private async Task SampleAsync(CancellationToken cancel)
    {
        try
        {
            if (!reader.IsThere)
            {
                // Told apart from a failed request: an exception at each start of a gateway would cost megabytes for as long as it runs.
                TellAway("There is no socket of HostAccess yet.");
                return;
            }
            var inventory = await reader.ReadAsync(cancel);
            lock (gate)
            {
                foreach (var resource in engine.Resources)
                {
                    Take(inventory, resource);
                }
            }
            if (hostAway)
            {
                hostAway = false;
                LogHostBack(logger);
            }
        }
        catch (EdgeDmException error)
        {
            TellAway(error.Error.Message);
        }
        finally
        {
            lock (gate)
            {
                sampledAt = time.GetTimestamp();
            }
        }
    }

    private void TellAway(string reason)
    {
        lock (gate)
        {
            foreach (var resource in engine.Resources)
            {
                engine.SetUnavailable(resource);
            }
            var longer = hostAway ? awayInterval * 2 : options.LeastSampleInterval;
            awayInterval = longer < options.SampleInterval ? longer : options.SampleInterval;
        }
        if (!hostAway)
        {
            hostAway = true; // Once, not at every reading.
            LogHostAway(logger, reason);
        }
    }

    private void Take(HostInventory inventory, string resource)
    {
        if (InventoryResources.Read(inventory, resource) is not { } value)
        {
            engine.SetUnavailable(resource);
            return;
        }
        try
        {
            engine.Set(resource, value, time.GetUtcNow());
        }
        catch (EdgeDmException error)
        {
            engine.SetUnavailable(resource);
            LogNotSent(logger, resource, error.Error.Message);
        }
    }

    private void SendDue()
    {
        IReadOnlyList<Notification> due;
        lock (gate)
        {
            due = engine.TakeDue();
        }
        foreach (var notification in due)
        {
            hub.Post(
                Routes.Notifications,
                Schemas.Notification,
                JsonSerializer.SerializeToUtf8Bytes(notification, ContractsJson.Default.Notification),
                kind: PostKind.Thinned,
                series: string.Join(' ', notification.Values.Select(v => v.Resource).Order(StringComparer.Ordinal))
            );
        }
    }

    private async Task WaitAsync(CancellationToken cancel)
    {
        var wait = Timeout.InfiniteTimeSpan;
        lock (gate)
        {
            if (engine.Resources.Count > 0)
            {
                wait = sampledAt is { } at ? Interval() - time.GetElapsedTime(at) : TimeSpan.Zero;
                if (engine.NextDue is { } due && due < wait)
                {
                    wait = due;
                }
            }
        }
        if (wait != Timeout.InfiniteTimeSpan && wait <= TimeSpan.Zero)
        {
            cancel.ThrowIfCancellationRequested();
            return;
        }
        await using var timer = time.CreateTimer(_ => Wake(), null, wait, Timeout.InfiniteTimeSpan);
        await wake.WaitAsync(cancel);
        while (wake.Wait(0, CancellationToken.None))
        {
            // One turn answers them all.
        }
    }

    /// <summary>Often enough for the shortest minimum period, within the bounds.</summary>
    private TimeSpan Interval()
    {
        var wanted = engine.ShortestMinPeriod ?? options.SampleInterval;
        wanted = hostAway && awayInterval < wanted ? awayInterval : wanted;
        return wanted < options.LeastSampleInterval ? options.LeastSampleInterval
            : wanted > options.SampleInterval ? options.SampleInterval
            : wanted;
    }

    private void Wake() => wake.Release();

    [LoggerMessage(Level = LogLevel.Warning, Message = "The host's resources are unavailable: {Reason}")]
    private static partial void LogHostAway(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "The host's resources are available again")]
    private static partial void LogHostBack(ILogger logger);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Resource} is not told: {Reason}")]
    private static partial void LogNotSent(ILogger logger, string resource, string reason);
}
