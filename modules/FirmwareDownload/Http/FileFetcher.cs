using EdgeDm.Contracts;
using EdgeDm.FirmwareDownload.Store;
using Microsoft.Extensions.Logging;

namespace EdgeDm.FirmwareDownload.Http;

/// <summary>
/// Brings a part to its end from several addresses: in rounds over those that still promise something, with growing
/// waits between rounds, until it is whole or the bounds are reached. Progress starts the bounds anew.
/// </summary>
/// <param name="client">One attempt.</param>
/// <param name="options">Bounds.</param>
/// <param name="time">The clock.</param>
/// <param name="random">Numbers from 0 up to 1, for the waits.</param>
/// <param name="logger">Told of each failed attempt, without the address's path and query.</param>
internal sealed partial class FileFetcher(
    RangeClient client,
    DownloadOptions options,
    TimeProvider time,
    Func<double> random,
    ILogger logger
)
{
    /// <summary>Returns when the part is whole. Throws the error of an address when none leads there.</summary>
    public async Task FetchAsync(
        IReadOnlyList<DownloadSource> sources,
        PartialFile part,
        string context,
        Action<int> received,
        CancellationToken cancel
    )
    {
        var schedule = new RetrySchedule(options, random);
        var farthest = part.Length;
        var progressAt = time.GetTimestamp();
        var rounds = 0;
        while (!part.IsWhole)
        {
            foreach (var source in sources.Where(s => !s.IsFinal && s.NotBefore <= time.GetTimestamp()))
            {
                if (await AttemptAsync(source, part, context, received, cancel))
                {
                    return;
                }
                if (part.Length >= farthest + options.LeastProgressBytes)
                {
                    farthest = part.Length;
                    progressAt = time.GetTimestamp();
                    rounds = 0;
                    schedule.Reset();
                }
            }
            rounds++;
            if (
                sources.All(s => s.IsFinal)
                || rounds >= options.MaxAttempts
                || time.GetElapsedTime(progressAt) >= options.GiveUpAfter
            )
            {
                throw new EdgeDmException(ErrorOf(sources));
            }
            await WaitAsync(sources, schedule.Next(), cancel);
        }
    }

    /// <summary>The first address's error, unless fresh tokens for another one would help.</summary>
    private static ErrorObject ErrorOf(IReadOnlyList<DownloadSource> sources) =>
        sources.Select(s => s.LastError).FirstOrDefault(e => e?.Code == ErrorRegistry.UrlRefused.Code)
        ?? sources[0].LastError!;

    private async Task<bool> AttemptAsync(
        DownloadSource source,
        PartialFile part,
        string context,
        Action<int> received,
        CancellationToken cancel
    )
    {
        try
        {
            await client.FetchAsync(source, part, context, received, cancel);
            return true;
        }
        catch (FetchException failure)
        {
            source.LastError = failure.Error;
            source.IsFinal = !failure.MayRetry;
            source.NotBefore = failure.RetryAfter is { } wish ? time.GetTimestamp() + Ticks(wish) : 0;
            LogAttemptFailed(logger, context, part.Length, failure.Error.Name, failure.Error.Message);
            return false;
        }
        finally
        {
            part.Checkpoint(); // However it ended, what came in is kept.
        }
    }

    /// <summary>At least the schedule's wait, and until the first server that asked for patience is ready.</summary>
    private async Task WaitAsync(IReadOnlyList<DownloadSource> sources, TimeSpan wait, CancellationToken cancel)
    {
        var now = time.GetTimestamp();
        var ready = sources.Where(s => !s.IsFinal).Min(s => s.NotBefore);
        var patience = ready > now ? time.GetElapsedTime(now, ready) : TimeSpan.Zero;
        await Task.Delay(wait > patience ? wait : patience, time, cancel);
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{FileId}: attempt failed at byte {Offset}: {Name}: {Message}")]
    private static partial void LogAttemptFailed(
        ILogger logger,
        string fileId,
        long offset,
        string name,
        string message
    );
}
