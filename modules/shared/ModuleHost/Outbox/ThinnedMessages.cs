using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.ModuleHost;

/// <summary>
/// The disk side of messages that may be thinned, and of the count of those that were thrown out: one record, written at most once in
/// <see cref="HubModuleOptions.ThinnedWriteInterval"/> and at the end. A power cut costs what came since. Not for two threads at once.
/// </summary>
internal sealed class ThinnedMessages(HubModuleOptions options, ILogger logger)
{
    private static readonly Failpoint Written = new("outbox.thinned");

    private readonly DurableRecord<ThinnedRecord> record = new(
        Path.Combine(options.DataFolder, "thinned.json"),
        ModuleHostJson.Default.ThinnedRecord,
        Written,
        logger,
        time: options.TimeProvider
    );

    private bool differs;
    private bool holds;
    private long? writtenAt;

    /// <summary>What an earlier process left.</summary>
    public ThinnedRecord Load()
    {
        var found = record.Load();
        holds = found is not null;
        return found ?? new([], 0);
    }

    /// <summary>Something changed; writes it when the last time is long enough ago.</summary>
    public void Changed(Func<ThinnedRecord> current)
    {
        differs = true;
        writtenAt ??= options.TimeProvider.GetTimestamp(); // The first interval begins with the first change.
        if (options.TimeProvider.GetElapsedTime(writtenAt.Value) >= options.ThinnedWriteInterval)
        {
            Flush(current);
        }
    }

    /// <summary>Writes what is not on disk yet.</summary>
    public void Flush(Func<ThinnedRecord> current)
    {
        if (!differs)
        {
            return;
        }
        var now = current();
        var isEmpty = now is { Messages.Length: 0, Dropped: 0 };
        if (!isEmpty)
        {
            record.Save(now);
        }
        else if (holds)
        {
            record.Delete();
        }
        holds = !isEmpty;
        differs = false;
        writtenAt = options.TimeProvider.GetTimestamp();
    }
}

/// <summary>Messages that may be thinned, as they are on disk.</summary>
/// <param name="Messages">In order.</param>
/// <param name="Dropped">How many messages of any kind were thrown out and not told of yet.</param>
internal sealed record ThinnedRecord(ThinnedEntry[] Messages, long Dropped);

/// <summary>One of them.</summary>
/// <param name="Sequence">Its place among all messages.</param>
/// <param name="Message">The message.</param>
internal sealed record ThinnedEntry(long Sequence, OutboxMessage Message);
