using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.ModuleHost;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DeviceManagement.Twin;

/// <summary>
/// Brings the desired document to the configuration groups and their state to the reported one. The document is on disk
/// before anything is applied; an equal group is not applied again; what the hub knows under a group's name is always the
/// whole of it, in one patch with the summary.
/// </summary>
internal sealed partial class GroupHost : IDisposable
{
    private readonly IModuleHub hub;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly TimeSpan progressPeriod;
    private readonly TimeSpan diskRetryDelay;
    private static readonly Failpoint DesiredKept = new("twin.desired");
    private static readonly Failpoint GroupsKept = new("twin.groups");

    private readonly DurableRecord<DesiredRecord> desiredRecord;
    private readonly DurableRecord<GroupRecords> groupRecord;
    private readonly Dictionary<string, IConfigurationGroup> groups;
    private readonly ImmutableArray<string> order;
    private readonly Lock gate = new();
    private readonly Dictionary<string, long> lastReport = new(StringComparer.Ordinal);
    private readonly Dictionary<string, JsonObject?> lastTold = new(StringComparer.Ordinal);
    private readonly HashSet<string> unreported = new(StringComparer.Ordinal);

    // Given their content in this life, or told that they have none any more: before, what a group says of itself is of no use. It is
    // told then, if something changed meanwhile.
    private readonly HashSet<string> entered = new(StringComparer.Ordinal);
    private readonly HashSet<string> early = new(StringComparer.Ordinal);

    // No longer desired, and something of it goes on: told of until that has ended.
    private readonly HashSet<string> leaving = new(StringComparer.Ordinal);
    private readonly ITimer progressTimer;
    private GroupRecords records;
    private (long Version, string Digest)? kept;

    /// <summary>Loads what is on disk.</summary>
    /// <param name="folder">The module's folder.</param>
    /// <param name="groups">The groups of this host, in the order in which they are applied.</param>
    /// <param name="hub">Where to report.</param>
    /// <param name="progressPeriod">Data that changes in its numbers only is reported this often at most.</param>
    /// <param name="diskRetryDelay">Rest when a record cannot be written at the start.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public GroupHost(
        string folder,
        IReadOnlyCollection<IConfigurationGroup> groups,
        IModuleHub hub,
        TimeSpan progressPeriod,
        TimeSpan diskRetryDelay,
        TimeProvider time,
        ILogger<GroupHost> logger
    )
    {
        this.hub = hub;
        this.time = time;
        this.logger = logger;
        this.progressPeriod = progressPeriod;
        this.diskRetryDelay = diskRetryDelay;
        desiredRecord = new(
            Path.Combine(folder, "desired.json"),
            DeviceManagementJson.Default.DesiredRecord,
            DesiredKept,
            logger
        );
        groupRecord = new(
            Path.Combine(folder, "groups.json"),
            DeviceManagementJson.Default.GroupRecords,
            GroupsKept,
            logger
        );
        records = groupRecord.Load() ?? GroupRecords.Empty;
        this.groups = groups.ToDictionary(g => g.Name, StringComparer.Ordinal);
        order = [.. groups.Select(g => g.Name)];
        progressTimer = time.CreateTimer(
            _ => ReportProgress(),
            null,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan
        );
        foreach (var group in this.groups.Values)
        {
            group.Changed += () => OnChanged(group);
        }
    }

    /// <summary>Goes on with the document on disk, without the hub.</summary>
    public async Task ResumeAsync(CancellationToken cancellationToken)
    {
        if (desiredRecord.Load() is not { } record)
        {
            return;
        }
        LogResumed(logger, record.Version);
        while (true)
        {
            try
            {
                await ApplyAllAsync(record.Properties, cancellationToken);
                return;
            }
            catch (IOException error)
            {
                TellStuck(record.Properties, error);
                await Task.Delay(diskRetryDelay, time, cancellationToken);
            }
        }
    }

    /// <summary>Takes a document from the hub.</summary>
    /// <exception cref="IOException">It cannot be kept (a full disk); the twin says so. Nothing of it was applied that is not on record.</exception>
    public async ValueTask ApplyAsync(DesiredDocument document, CancellationToken cancellationToken)
    {
        try
        {
            var record = new DesiredRecord(document.Version, document.Properties);
            kept ??= desiredRecord.Load() is { } onDisk ? IdentityOf(onDisk) : null;
            if (kept != IdentityOf(record))
            {
                desiredRecord.Save(record);
                kept = IdentityOf(record);
            }
            await ApplyAllAsync(document.Properties, cancellationToken);
        }
        catch (IOException error)
        {
            TellStuck(document.Properties, error);
            throw;
        }
    }

    public void Dispose() => progressTimer.Dispose();

    private async Task ApplyAllAsync(JsonObject desired, CancellationToken cancellationToken)
    {
        foreach (var (name, value) in desired.OrderBy(property => order.IndexOf(property.Key)))
        {
            if (value is not null)
            {
                await ApplyOneAsync(
                    name,
                    JsonSerializer.SerializeToElement(value, TwinJson.Default.JsonNode),
                    cancellationToken
                );
            }
        }
        foreach (var name in records.Groups.Keys.Where(name => desired[name] is null).ToList())
        {
            await RemoveOneAsync(name, cancellationToken);
        }
    }

    private async Task ApplyOneAsync(string name, JsonElement content, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            leaving.Remove(name);
        }
        var digest = ContentDigest.Of(ContentDigest.Canonical(content));
        var group = groups.GetValueOrDefault(name);
        var known = records.Groups.GetValueOrDefault(name);
        var isKnown = known is not null && known.Digest == digest;
        if (isKnown && known!.Status is not DeploymentStatuses.Pending)
        {
            group?.Restore(content);
            if (Enter(name))
            {
                OnChanged(group!);
            }
            return;
        }
        var meta = DesiredMeta.Default;
        var error =
            group is null ? Unknown(name)
            : content.ValueKind != JsonValueKind.Object ? NoObject(name)
            : null;
        if (error is null)
        {
            meta = DesiredMeta.Parse(content, group!.InterfaceVersion, out error);
        }
        // Pending is told before anything is applied; the record makes a restart take it up again. One that is taken up, by a restart
        // or because the hub told the document once more, is on disk and told already.
        if (!isKnown || error is not null)
        {
            SetRecord(
                name,
                digest,
                meta,
                error is null ? GroupOutcome.Pending : GroupOutcome.Failed(name, error),
                Save
            );
        }
        if (error is null)
        {
            await ApplyGroupAsync(group!, content, cancellationToken);
        }
    }

    private async Task ApplyGroupAsync(
        IConfigurationGroup group,
        JsonElement content,
        CancellationToken cancellationToken
    )
    {
        Enter(group.Name);
        try
        {
            await group.ApplyAsync(content, cancellationToken);
            OnChanged(group);
        }
        catch (EdgeDmException failure)
        {
            SetOutcome(group.Name, GroupOutcome.Failed(group.Name, failure.Error));
        }
        catch (Exception failure) when (failure is not OperationCanceledException and not IOException)
        {
            LogBroken(logger, failure, group.Name);
            var error = ErrorRegistry.Internal.Error(
                Subsystems.DeviceManagement,
                group.Name,
                $"Applying {group.Name} ended by an unexpected {failure.GetType().Name}."
            );
            SetOutcome(group.Name, GroupOutcome.Failed(group.Name, error));
        }
    }

    private async Task RemoveOneAsync(string name, CancellationToken cancellationToken)
    {
        if (!groups.TryGetValue(name, out var group))
        {
            Forget(name);
            return;
        }
        lock (gate)
        {
            leaving.Add(name);
            Enter(name);
        }
        await group.RemoveAsync(cancellationToken);
        OnChanged(group);
    }

    /// <summary>True when the group changed before.</summary>
    private bool Enter(string name)
    {
        lock (gate)
        {
            entered.Add(name);
            return early.Remove(name);
        }
    }

    private void Forget(string name)
    {
        lock (gate)
        {
            leaving.Remove(name);
            lastTold.Remove(name);
            unreported.Remove(name);
            Save(records with { Groups = records.Groups.Remove(name) });
            hub.Report(new Dictionary<string, JsonNode?> { [name] = null, [TwinNames.Summary] = Summary() });
        }
    }

    private void SetRecord(
        string name,
        string digest,
        DesiredMeta meta,
        GroupOutcome outcome,
        Action<GroupRecords> keep
    )
    {
        lock (gate)
        {
            var record = new GroupRecord(
                digest,
                meta.DeploymentId,
                meta.ServiceInterfaceVersion,
                meta.ReportingMode,
                outcome.Status,
                outcome.Errors,
                time.GetUtcNow()
            );
            keep(records with { Groups = records.Groups.SetItem(name, record) });
            Report(name);
        }
    }

    private void SetOutcome(string name, GroupOutcome outcome)
    {
        lock (gate)
        {
            if (
                !records.Groups.TryGetValue(name, out var record)
                || new GroupOutcome(record.Status, record.Errors).IsSame(outcome)
            )
            {
                return;
            }
            var changed = record with { Status = outcome.Status, Errors = outcome.Errors, Time = time.GetUtcNow() };
            SaveIfPossible(records with { Groups = records.Groups.SetItem(name, changed) });
            Report(name);
        }
    }

    private void OnChanged(IConfigurationGroup group)
    {
        lock (gate)
        {
            if (!entered.Contains(group.Name))
            {
                early.Add(group.Name);
                return;
            }
            if (leaving.Contains(group.Name) && !group.IsBusy)
            {
                Forget(group.Name);
                return;
            }
        }
        if (group.Outcome is { } outcome)
        {
            SetOutcome(group.Name, outcome);
        }
        lock (gate)
        {
            if (!records.Groups.TryGetValue(group.Name, out var record))
            {
                return;
            }
            if (!IsSameButForNumbers(lastTold.GetValueOrDefault(group.Name), ReportOf(group.Name, record)))
            {
                Report(group.Name); // A job's id, a step, a reason: nobody should wait for it.
                return;
            }
            unreported.Add(group.Name);
        }
        ReportProgress();
    }

    private void Save(GroupRecords changed)
    {
        changed = changed with { Changed = time.GetUtcNow() };
        groupRecord.Save(changed);
        records = changed;
    }

    private static (long Version, string Digest) IdentityOf(DesiredRecord document) =>
        (
            document.Version,
            ContentDigest.Of(
                ContentDigest.Canonical(
                    JsonSerializer.SerializeToElement<JsonNode>(document.Properties, TwinJson.Default.JsonNode)
                )
            )
        );

    private static ErrorObject Unknown(string name) =>
        ErrorRegistry.UnknownGroup.Error(
            Subsystems.DeviceManagement,
            name,
            "This gateway has no configuration group of this name."
        );

    private static ErrorObject NoObject(string name) =>
        ErrorRegistry.InvalidValue.Error(Subsystems.DeviceManagement, name, "A configuration group must be an object.");

    [LoggerMessage(Level = LogLevel.Information, Message = "Goes on with desired document version {Version} from disk")]
    private static partial void LogResumed(ILogger logger, long version);

    [LoggerMessage(Level = LogLevel.Error, Message = "Group {Group} broke")]
    private static partial void LogBroken(ILogger logger, Exception error, string group);
}
