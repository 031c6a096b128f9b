using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.Testing;

namespace EdgeDm.FirmwareDownload.Tests.Support;

/// <summary>The module with its folders, a hub in memory and a log that is kept. Impatient, so that failures are quick.</summary>
internal sealed class DownloadBed : IAsyncDisposable
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly string folder = Directory.CreateTempSubdirectory("edgedm-download-").FullName;
    private readonly LineLog log = new();
    private readonly TimeProvider time;
    private CancellationTokenSource? stop;
    private FirmwareDownloadModule? module;
    private Task running = Task.CompletedTask;

    public DownloadBed(DownloadOptions? options = null, TimeProvider? time = null)
    {
        Options = options ?? Quick;
        this.time = time ?? TimeProvider.System;
        Start();
    }

    public static DownloadOptions Quick { get; } =
        new()
        {
            SweepDelay = TimeSpan.Zero,
            MaxAttempts = 3,
            RetryBase = TimeSpan.FromMilliseconds(2),
            RetryCap = TimeSpan.FromMilliseconds(20),
            StallWindow = TimeSpan.FromSeconds(15),
            CheckpointBytes = 64 * 1024,
            BufferBytes = 16 * 1024,
        };

    /// <summary>Waits for a server that stands still on purpose, and tells every byte.</summary>
    public static DownloadOptions Patient { get; } =
        Quick with
        {
            StallWindow = TimeSpan.FromSeconds(30),
            ProgressInterval = TimeSpan.Zero,
        };

    public DownloadOptions Options { get; set; }

    public FakeModuleHub Hub { get; private set; } = new("FirmwareDownload");

    public string Log => log.All;

    public string Store => Path.Combine(folder, "store");

    public string Data => Path.Combine(folder, "data");

    public static DownloadFile File(byte[] content, params string[] urls) =>
        new("f1", "file.bin", content.Length, TestFiles.Digest(content), [.. urls]);

    public static DownloadRequest Request(params DownloadFile[] files) => new("job-1", [.. files]);

    public string PathOf(byte[] content) => Path.Combine(Store, "sha256", TestFiles.Digest(content));

    public string PartOf(byte[] content) => Path.Combine(Store, "partial", TestFiles.Digest(content) + ".part");

    public byte[]? Stored(byte[] content) =>
        System.IO.File.Exists(PathOf(content)) ? System.IO.File.ReadAllBytes(PathOf(content)) : null;

    public Task<bool> SendAsync(DownloadRequest request) =>
        Hub.DeliverInputAsync(
            Routes.Downloads,
            Schemas.DownloadRequest,
            JsonSerializer.Serialize(request, ContractsJson.Default.DownloadRequest)
        );

    public Task<bool> CancelAsync(string jobId) =>
        Hub.DeliverInputAsync(Routes.Downloads, Schemas.DownloadCancel, $$"""{"jobId":"{{jobId}}"}""");

    /// <summary>Sends and waits for the end.</summary>
    public async Task<DownloadCompleted> CompleteAsync(DownloadRequest request)
    {
        await SendAsync(request);
        return await CompletedAsync(request.JobId);
    }

    public async Task<DownloadCompleted> CompletedAsync(string jobId = "job-1", int ends = 1)
    {
        var post = await EndAsync(jobId, ends);
        post.Schema.ShouldBe(Schemas.DownloadCompleted, post.Json);
        return JsonSerializer.Deserialize(post.Json, ContractsJson.Default.DownloadCompleted)!;
    }

    /// <summary>Sends and waits for the failure.</summary>
    public async Task<ErrorObject> FailAsync(DownloadRequest request)
    {
        await SendAsync(request);
        return await FailedAsync(request.JobId);
    }

    public async Task<ErrorObject> FailedAsync(string jobId = "job-1", int ends = 1)
    {
        var post = await EndAsync(jobId, ends);
        post.Schema.ShouldBe(Schemas.DownloadFailed, post.Json);
        return JsonSerializer.Deserialize(post.Json, ContractsJson.Default.DownloadFailed)!.Error;
    }

    /// <summary>The n-th terminal answer of a job.</summary>
    public async Task<FakePost> EndAsync(string jobId = "job-1", int ends = 1)
    {
        await Hub.WaitForPostAsync(_ => Ends(jobId).Count >= ends);
        return Ends(jobId)[ends - 1];
    }

    /// <summary>Waits until a job tells that so much came in; needs <see cref="Patient"/>.</summary>
    public Task FetchedAsync(long bytes, string jobId = "job-1") =>
        Hub.WaitForPostAsync(p =>
            p.Schema == Schemas.DownloadProgress
            && (string?)p.Body["jobId"] == jobId
            && (long)p.Body["bytes"]!["fetched"]! >= bytes
        );

    public IReadOnlyList<FakePost> Ends(string jobId = "job-1") =>
        [.. Hub.Posts.Where(p => !p.IsVolatile && (string?)p.Body["jobId"] == jobId)];

    /// <summary>Ends the module in order and starts it again over the same folders, with a new hub side.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        Hub.Dispose();
        Hub = new("FirmwareDownload");
        Start();
    }

    public async Task StopAsync()
    {
        if (stop is null)
        {
            return;
        }
        await stop.CancelAsync();
        await running.WaitAsync(Limit).ContinueWith(_ => { }, TaskScheduler.Default);
        module?.Dispose();
        stop.Dispose();
        stop = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Hub.Dispose();
        log.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private void Start()
    {
        stop = new();
        module = new(Hub, Data, Store, Options, "1.2.3", time, () => 0.5, log);
        var token = stop.Token;
        running = Task.Run(() => module.RunAsync(token), CancellationToken.None);
    }
}
