using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.FirmwareDownload.Tests;

/// <summary>
/// This program is the tests and, started with <see cref="SubCommand"/>, a process with the whole module over a hub in
/// memory: it takes one request from a file, prints the answer and ends. <see cref="KillTests"/> kills it.
/// </summary>
internal static class KillHost
{
    public const string SubCommand = "download-host";

    /// <summary>Large enough to be killed in the middle, small enough to be quick.</summary>
    public const int CheckpointBytes = 256 * 1024;

    public static async Task<int> Main(string[] args) =>
        args is [SubCommand, var data, var store, var request] ? await DownloadAsync(data, store, request)
        : args.Contains("--server") || args.Contains("--internal-msbuild-node")
            ? await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(
                args,
                SelfRegisteredExtensions.AddSelfRegisteredExtensions
            )
        : await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args);

    private static async Task<int> DownloadAsync(string data, string store, string requestFile)
    {
        var options = DownloadOptions.Default with { CheckpointBytes = CheckpointBytes, BufferBytes = 32 * 1024 };
        using var hub = new FakeModuleHub("FirmwareDownload");
        using var module = new FirmwareDownloadModule(
            hub,
            data,
            store,
            options,
            "1.2.3",
            TimeProvider.System,
            Random.Shared.NextDouble,
            NullLoggerFactory.Instance
        );
        using var stop = new CancellationTokenSource();
        var running = module.RunAsync(stop.Token);
        var json = await File.ReadAllTextAsync(requestFile);
        var request = JsonSerializer.Deserialize(json, ContractsJson.Default.DownloadRequest)!;
        await hub.DeliverInputAsync(Routes.Downloads, Schemas.DownloadRequest, json);
        var end = await hub.WaitForPostAsync(p => !p.IsVolatile && (string?)p.Body["jobId"] == request.JobId);
        Console.WriteLine(end.MessageId);
        Console.WriteLine(end.Json);
        await stop.CancelAsync();
        await running.ContinueWith(_ => { }, TaskScheduler.Default);
        return 0;
    }
}
