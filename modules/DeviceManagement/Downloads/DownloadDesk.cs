using System.Collections.Concurrent;
using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.ModuleHost;

namespace EdgeDm.DeviceManagement.Downloads;

/// <summary>
/// Asks FirmwareDownload for files and waits. The question is repeated now and then, after each connect, and when its
/// addresses change: neither side keeps a conversation, the job record is what lasts.
/// </summary>
internal sealed class DownloadDesk : IDisposable
{
    private readonly IModuleHub hub;
    private readonly TimeProvider time;
    private readonly TimeSpan repeatPeriod;
    private readonly ConcurrentDictionary<string, Errand> errands = new(StringComparer.Ordinal);

    /// <summary>Listens for answers from now on.</summary>
    /// <param name="hub">Asks.</param>
    /// <param name="time">The clock.</param>
    /// <param name="repeatPeriod">Until an unanswered question is repeated; the route's time to live may have dropped it, or a crash of FirmwareDownload.</param>
    public DownloadDesk(IModuleHub hub, TimeProvider time, TimeSpan repeatPeriod)
    {
        this.hub = hub;
        this.time = time;
        this.repeatPeriod = repeatPeriod;
        hub.ConnectionChanged += RemindAll;
    }

    /// <summary>
    /// Gets files into the package store. Returns when they are; throws the downloader's error; cancelled, tells the
    /// downloader so.
    /// </summary>
    /// <param name="downloadId">One per set of files.</param>
    /// <param name="request">Makes the question; asked anew each time, so that fresh addresses are used.</param>
    /// <param name="progress">Called with byte counts.</param>
    /// <param name="waits">Called with the reason while fresh addresses are awaited (an expired signature), with null when it goes on.</param>
    /// <param name="cancellationToken">Ends the errand.</param>
    public async Task<DownloadCompleted> FetchAsync(
        string downloadId,
        Func<DownloadRequest> request,
        Action<DownloadBytes> progress,
        Action<ErrorObject?> waits,
        CancellationToken cancellationToken
    )
    {
        if (errands.TryGetValue(downloadId, out var known) && known.Answer.Task.IsCompleted)
        {
            // What followed the answer could not be recorded. Asking again would not bring it: a repeat is dropped as seen.
            return await known.Answer.Task;
        }
        ForgetAnswered();
        var errand = new Errand(request, progress, waits);
        errands[downloadId] = errand;
        try
        {
            while (true)
            {
                Ask(errand);
                try
                {
                    return await errand.Answer.Task.WaitAsync(repeatPeriod, time, cancellationToken);
                }
                catch (TimeoutException)
                {
                    // Asked again.
                }
            }
        }
        catch (OperationCanceledException)
        {
            errands.TryRemove(downloadId, out _);
            Tell(Schemas.DownloadCancel, new DownloadCancel(downloadId), ContractsJson.Default.DownloadCancel);
            throw;
        }
    }

    /// <summary>Asks again now, for example with fresh addresses.</summary>
    public void Remind(string downloadId)
    {
        if (errands.TryGetValue(downloadId, out var errand) && !errand.Answer.Task.IsCompleted)
        {
            Ask(errand);
        }
    }

    /// <summary>Takes an answer. One that nobody waits for is dropped: it will be given again when asked for.</summary>
    public void Receive(InputMessage message)
    {
        switch (message.Schema)
        {
            case Schemas.DownloadProgress:
                var progress = Read(message, ContractsJson.Default.DownloadProgress);
                if (errands.TryGetValue(progress.JobId, out var running))
                {
                    running.Waits(progress.Waits);
                    running.Progress(progress.Bytes);
                }
                break;
            case Schemas.DownloadCompleted:
                var completed = Read(message, ContractsJson.Default.DownloadCompleted);
                if (errands.TryGetValue(completed.JobId, out var done))
                {
                    done.Waits(null);
                    done.Progress(completed.Bytes);
                    done.Answer.TrySetResult(completed);
                }
                break;
            case Schemas.DownloadFailed:
                Failed(Read(message, ContractsJson.Default.DownloadFailed));
                break;
            default:
                throw new BadMessageException(
                    $"Input '{message.Input}' takes no messages of schema '{message.Schema}'."
                );
        }
    }

    public void Dispose() => hub.ConnectionChanged -= RemindAll;

    private void ForgetAnswered()
    {
        const int MostAnswered = 16; // A job has two at most, and one runs at a time.
        foreach (var (id, _) in errands.Where(e => e.Value.Answer.Task.IsCompleted).Skip(MostAnswered))
        {
            errands.TryRemove(id, out _);
        }
    }

    private void Failed(DownloadFailed failed)
    {
        if (!errands.TryGetValue(failed.JobId, out var errand))
        {
            return;
        }
        if (AwaitsFreshUrls(failed.Error))
        {
            errand.Waits(failed.Error);
        }
        else
        {
            errand.Answer.TrySetException(new EdgeDmException(failed.Error));
        }
    }

    /// <summary>401 and 403 mean an expired or wrong token: new addresses cure it, the parts fetched so far stay.</summary>
    private static bool AwaitsFreshUrls(ErrorObject error) =>
        error.Code == ErrorRegistry.UrlRefused.Code
        // The words of a FirmwareDownload one version older.
        || error.Code == ErrorRegistry.HttpStatus.Code
            && error.Parameters.TryGetValue("status", out var status)
            && status is "401" or "403";

    private void RemindAll()
    {
        if (hub.IsConnected)
        {
            foreach (var errand in errands.Values.Where(e => !e.Answer.Task.IsCompleted))
            {
                Ask(errand);
            }
        }
    }

    private void Ask(Errand errand) =>
        Tell(Schemas.DownloadRequest, errand.Request(), ContractsJson.Default.DownloadRequest);

    private void Tell<T>(string schema, T message, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> typeInfo) =>
        hub.PostVolatile(Routes.Downloads, schema, JsonSerializer.SerializeToUtf8Bytes(message, typeInfo));

    private static T Read<T>(InputMessage message, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> typeInfo) =>
        JsonSerializer.Deserialize(message.Payload.Span, typeInfo)
        ?? throw new BadMessageException($"A message of schema '{message.Schema}' is null.");

    private sealed record Errand(
        Func<DownloadRequest> Request,
        Action<DownloadBytes> Progress,
        Action<ErrorObject?> Waits
    )
    {
        public TaskCompletionSource<DownloadCompleted> Answer { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
