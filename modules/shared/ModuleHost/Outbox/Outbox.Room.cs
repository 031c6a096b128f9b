using Microsoft.Extensions.Logging;

namespace EdgeDm.ModuleHost;

/// <summary>What gives way while the hub is away for too long. Whatever goes is counted, logged, and told with the next message.</summary>
internal sealed partial class Outbox
{
    /// <summary>True when there is room for a message of this kind, or room was made.</summary>
    private bool MakeRoom(PostKind kind, int bytes)
    {
        while (durableIds.Count >= options.MaxOutboxMessages || durableBytes + bytes > options.MaxOutboxBytes)
        {
            if (waiting.FirstOrDefault(m => m.IsFile && m.Message.Kind == PostKind.Normal) is not { } oldest)
            {
                if (kind == PostKind.Terminal)
                {
                    throw new OutboxFullException(durableIds.Count, durableBytes);
                }
                CountDropped(1, "the outbox is full of results");
                return false;
            }
            Record(oldest.Sequence).Delete();
            Forget(oldest);
            CountDropped(1, "the outbox is full");
        }
        return true;
    }

    /// <summary>Thins the series that grew; while all of them together are too much, the longest, and at last the oldest message goes.</summary>
    private void Thin(string? series)
    {
        if (waiting.Count(m => m.IsThinned && m.Message.Series == series) > options.MaxThinnedPerSeries)
        {
            ThinSeries(series);
        }
        while (thinnedCount > options.MaxThinnedMessages || thinnedBytes > options.MaxThinnedBytes)
        {
            var longest = waiting.Where(m => m.IsThinned).GroupBy(m => m.Message.Series).MaxBy(g => g.Count())!;
            if (!ThinSeries(longest.Key))
            {
                Forget(waiting.First(m => m.IsThinned));
                CountDropped(1, "too many messages wait for the hub");
            }
        }
    }

    private bool ThinSeries(string? series)
    {
        var all = waiting.Where(m => m.IsThinned && m.Message.Series == series).ToArray();
        var gone = Thinning.Gone(all.Length).Select(place => all[place]).ToArray();
        foreach (var message in gone)
        {
            Forget(message);
        }
        CountDropped(gone.Length, "notifications are thinned while the hub is away");
        return gone.Length > 0;
    }

    private void CountDropped(int count, string why)
    {
        if (count == 0)
        {
            return;
        }
        dropped += count;
        thinned.Changed(ThinnedNow);
        LogDropped(logger, count, why, dropped);
    }

    private ThinnedRecord ThinnedNow() =>
        new([.. waiting.Where(m => m.IsThinned).Select(m => new ThinnedEntry(m.Sequence, m.Message))], dropped);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Count} waiting messages were thrown out: {Why}. {Total} in all; the next message tells so"
    )]
    private static partial void LogDropped(ILogger logger, int count, string why, long total);
}
