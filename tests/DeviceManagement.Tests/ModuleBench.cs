using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.DeviceManagement.Tests;

/// <summary>The whole module over a folder, a hub in memory and a host on a real socket. Can be restarted.</summary>
internal sealed class ModuleBench : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("dm");
    private CancellationTokenSource stop = new();
    private Task running = Task.CompletedTask;
    private DeviceManagementModule? module;

    public FakeModuleHub Hub { get; private set; } = new("DeviceManagement");

    public FakeHostAccess Host { get; private set; } = null!;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;

    /// <summary>Another host than <see cref="Host"/>.</summary>
    public string? HostEndpoint { get; init; }

    /// <summary>What <see cref="Host"/> says of its version when the module starts.</summary>
    public string? FirstApiVersion { get; init; }

    public ImmutableHashSet<string> CommandSenders { get; init; } = [];

    public string JobsFolder => Path.Combine(folder.FullName, "data", "jobs");

    public static async Task<ModuleBench> StartAsync(ModuleBench? bench = null)
    {
        bench ??= new();
        bench.Host = await FakeHostAccess.StartAsync(bench.folder.FullName);
        bench.Host.ApiVersion = bench.FirstApiVersion ?? bench.Host.ApiVersion;
        bench.Start();
        return bench;
    }

    /// <summary>Ends the module as SIGTERM would and starts it anew over the same folder.</summary>
    public async Task RestartAsync(Action? between = null)
    {
        await StopAsync();
        between?.Invoke();
        Hub.Dispose();
        Hub = new("DeviceManagement");
        Start();
    }

    /// <summary>Replaces the desired document on disk; only while the module is down.</summary>
    public void RewriteDesired(JsonObject group)
    {
        var file = Path.Combine(folder.FullName, "data", "desired.json");
        var record = JsonNode.Parse(File.ReadAllText(file))!;
        record["value"]!["properties"] = JsonNode.Parse(Samples.Desired(group));
        File.WriteAllText(file, record.ToJsonString());
    }

    /// <summary>Replaces the note of what was told of the one job last; only while the module is down.</summary>
    public void RewriteTold(string? status)
    {
        var file = Directory.GetFiles(JobsFolder, "*.json").Single();
        var record = JsonNode.Parse(File.ReadAllText(file))!;
        record["value"]!["toldStatus"] = status;
        File.WriteAllText(file, record.ToJsonString());
    }

    private void Start()
    {
        var options = new DeviceManagementOptions
        {
            DataFolder = Path.Combine(folder.FullName, "data"),
            HostEndpoint = HostEndpoint ?? Host.Endpoint,
            CommandSenders = CommandSenders,
            ProgressPeriod = TimeSpan.FromSeconds(5),
            UpdateFetchTimeout = TimeSpan.FromMinutes(30),
        };
        stop = new();
        module = new(options, Hub, Time, Loggers);
        running = module.RunAsync(stop.Token);
    }

    private async Task StopAsync()
    {
        await stop.CancelAsync();
        try
        {
            await running.WaitAsync(Patience);
        }
        catch (OperationCanceledException)
        {
            // As asked.
        }
        module?.Dispose();
        stop.Dispose();
    }

    public Task DesireAsync(JsonObject? group) => Hub.DeliverDesiredAsync(Samples.Desired(group));

    /// <summary>Answers the download that the module asked for, of a certain job if one is named.</summary>
    public async Task<DownloadRequest> CompleteDownloadAsync(string? jobId = null)
    {
        var post = await Hub.WaitForPostAsync(p =>
            p.Schema == Schemas.DownloadRequest && (jobId is null || (string?)p.Body["jobId"] == jobId)
        );
        var request = JsonSerializer.Deserialize(post.Json, ContractsJson.Default.DownloadRequest)!;
        var completed = new DownloadCompleted(
            request.JobId,
            new(1000, 0, 1000),
            [.. request.Files.Select(f => new StoredFile(f.FileId, f.Sha256, f.SizeInBytes))]
        );
        await DeliverAsync(Schemas.DownloadCompleted, completed, ContractsJson.Default.DownloadCompleted);
        return request;
    }

    public Task<bool> DeliverAsync<T>(
        string schema,
        T message,
        System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> typeInfo,
        string sender = "gateway/FirmwareDownload"
    ) => Hub.DeliverInputAsync(Routes.Downloads, schema, JsonSerializer.Serialize(message, typeInfo), sender: sender);

    public Task<JsonObject> WaitForStatusAsync(string status) =>
        Hub.WaitForReportedAsync(r => (string?)r["firmwareUpdate"]?["__meta"]?["deploymentStatus"] == status);

    public async Task<string> JobIdAsync()
    {
        var reported = await Hub.WaitForReportedAsync(r => r["firmwareUpdate"]?["jobId"] is not null);
        return (string)reported["firmwareUpdate"]!["jobId"]!;
    }

    public Task<JobDocument> JobAsync(string jobId) =>
        CallAsync("getJob", $$"""{"jobId":"{{jobId}}"}""", ContractsJson.Default.JobDocument);

    /// <summary>All jobs, oldest first.</summary>
    public async Task<IReadOnlyList<JobDocument>> JobsAsync() =>
        [.. (await CallAsync("queryJobs", "{}", ContractsJson.Default.JobList)).Jobs.Reverse()];

    /// <summary>Waits until a job has ended in this way.</summary>
    public Task WaitForJobAsync(string jobId, string status) =>
        Hub.WaitForPostAsync(p => p.MessageId == $"{jobId}-{status}");

    /// <summary>Calls a method that must succeed.</summary>
    public async Task<T> CallAsync<T>(
        string name,
        string payload,
        System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> typeInfo
    )
    {
        var reply = await Hub.CallMethodAsync(name, payload);
        reply.Status.ShouldBe(200, System.Text.Encoding.UTF8.GetString(reply.Json.Span));
        return JsonSerializer.Deserialize(reply.Json.Span, typeInfo)!;
    }

    /// <summary>Calls a method that must be refused.</summary>
    public async Task<(int Status, ErrorObject Error)> RefusedAsync(string name, string payload)
    {
        var reply = await Hub.CallMethodAsync(name, payload);
        return (reply.Status, JsonSerializer.Deserialize(reply.Json.Span, ContractsJson.Default.ErrorObject)!);
    }

    /// <summary>Waits for the host to have been given something.</summary>
    public static async Task<T> NextAsync<T>(System.Collections.Concurrent.ConcurrentQueue<T> queue)
    {
        using var patience = new CancellationTokenSource(Patience);
        T? item;
        while (!queue.TryDequeue(out item))
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
        return item;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Host.DisposeAsync();
        Hub.Dispose();
        folder.Delete(recursive: true);
    }
}
