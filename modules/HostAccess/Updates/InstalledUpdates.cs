using System.Collections.Immutable;
using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.Updates;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Updates;

/// <summary>
/// What was committed on this host: the present version of each <c>provider/name</c>, and so the lowest that may follow. Kept beside the
/// slots, not in them: no change of slots, however it came about, makes an older version welcome again.
/// </summary>
internal sealed partial class InstalledUpdates
{
    private static readonly Failpoint Written = new("host.installed");

    private readonly DurableRecord<InstalledList> record;
    private readonly UpdateOptions options;
    private readonly TimeProvider time;
    private InstalledList list;

    /// <summary>Reads the record. When it is lost or damaged, it is made again from the updates that are known to be committed.</summary>
    /// <param name="path">The record.</param>
    /// <param name="options">What is exempt.</param>
    /// <param name="committed">Committed updates, the oldest first.</param>
    /// <param name="time">For the time of a commit.</param>
    /// <param name="logger">Told of damage.</param>
    public InstalledUpdates(
        string path,
        UpdateOptions options,
        IEnumerable<UpdateRecord> committed,
        TimeProvider time,
        ILogger logger
    )
    {
        record = new(path, UpdateRecordJson.Default.InstalledList, Written, logger, time: time);
        this.options = options;
        this.time = time;
        if (record.Load() is { } found)
        {
            list = found;
            return;
        }
        list = committed.Aggregate(
            new InstalledList([], NewestManifest: null),
            (known, update) =>
                known.With(UpdateId.Parse(update.UpdateId), update.ManifestCreated, update.EndedAt ?? time.GetUtcNow())
        );
        if (list.Updates.Length > 0)
        {
            record.Save(list);
            LogMadeAgain(logger, path, list.Updates.Length);
        }
    }

    /// <summary>The newest commit first.</summary>
    public ImmutableArray<InstalledUpdate> NewestFirst => list.Updates;

    /// <summary>True when exactly this version is what was committed.</summary>
    public bool Has(UpdateId update) => Present(update) is { } present && present == update;

    /// <summary>Throws <c>notNewer</c> unless the update is newer than what is installed, or its pair is exempt.</summary>
    public void RequireNewer(UpdateId update)
    {
        if (
            Present(update) is { } present
            && update.DottedVersion <= present.DottedVersion
            && !options.AllowReinstallOf.Contains($"{update.Provider}/{update.Name}")
        )
        {
            throw ErrorRegistry.NotNewer.Refusal(
                "updateId",
                $"Version {update.Version} of {update.Provider}/{update.Name} is not newer than the installed {present.Version}.",
                ("installed", present.Version),
                ("offered", update.Version)
            );
        }
    }

    /// <summary>Throws <c>manifestTooOld</c> when a bound is configured and the manifest lies below it.</summary>
    public void RequireRecent(DateTimeOffset? created)
    {
        if (options.MaxManifestAge is not { } age || list.NewestManifest is not { } newest)
        {
            return;
        }
        if (created is null || created < newest - age)
        {
            throw ErrorRegistry.ManifestTooOld.Refusal(
                "createdDateTime",
                created is { } time
                    ? $"The manifest was made at {time:u}, more than {age.TotalDays} days before the newest accepted one."
                    : "The manifest does not say when it was made, and this host asks for it."
            );
        }
    }

    /// <summary>Puts an update at the front; on disk when this returns. Doing it twice is doing it once.</summary>
    public void Commit(UpdateId update, DateTimeOffset? created)
    {
        var next = list.With(update, created, time.GetUtcNow());
        record.Save(next);
        list = next;
    }

    private UpdateId? Present(UpdateId update) =>
        list.Updates.Select(other => UpdateId.Parse(other.UpdateId)).FirstOrDefault(update.IsSameUpdate);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Record {Path} was missing and was made again from the journal of updates: {Count} installed updates"
    )]
    private static partial void LogMadeAgain(ILogger logger, string path, int count);
}

/// <summary>The record on disk.</summary>
/// <param name="Updates">Newest commit first; one per <c>provider/name</c>.</param>
/// <param name="NewestManifest">The latest <c>createdDateTime</c> that was ever committed.</param>
internal sealed record InstalledList(ImmutableArray<InstalledUpdate> Updates, DateTimeOffset? NewestManifest)
{
    /// <summary>The list with this update in front, in place of what was there of its pair.</summary>
    public InstalledList With(UpdateId update, DateTimeOffset? created, DateTimeOffset committedAt) =>
        new(
            [
                new InstalledUpdate(update.ToJson(), committedAt),
                .. Updates.Where(other => !UpdateId.Parse(other.UpdateId).IsSameUpdate(update)),
            ],
            NewestManifest is { } newest && !(created > newest) ? newest : created
        );
}

/// <summary>One committed update.</summary>
/// <param name="UpdateId">JSON text.</param>
/// <param name="CommittedAt">UTC.</param>
internal sealed record InstalledUpdate(string UpdateId, DateTimeOffset CommittedAt);
