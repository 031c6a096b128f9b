using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.FirmwareDownload.Downloads;
using EdgeDm.FirmwareDownload.Http;
using EdgeDm.FirmwareDownload.Store;
using EdgeDm.ModuleHost;
using Microsoft.Extensions.Logging;

namespace EdgeDm.FirmwareDownload;

/// <summary>The module put together: input <c>downloads</c>, the line of requests, the package store.</summary>
public sealed class FirmwareDownloadModule : IDisposable
{
    private static readonly Failpoint Recorded = new("download.record");

    private readonly IModuleHub hub;
    private readonly string version;
    private readonly HttpMessageInvoker http;
    private readonly DownloadDesk desk;

    /// <summary>Registers its input; works only in <see cref="RunAsync"/>.</summary>
    /// <param name="hub">The hub side.</param>
    /// <param name="dataFolder">Request records go into <c>downloads</c> here.</param>
    /// <param name="storeFolder">The package store.</param>
    /// <param name="options">Bounds.</param>
    /// <param name="version">For pongs.</param>
    /// <param name="time">The clock.</param>
    /// <param name="random">Numbers from 0 up to 1, for the waits between attempts.</param>
    /// <param name="loggers">Log.</param>
    public FirmwareDownloadModule(
        IModuleHub hub,
        string dataFolder,
        string storeFolder,
        DownloadOptions options,
        string version,
        TimeProvider time,
        Func<double> random,
        ILoggerFactory loggers
    )
    {
        this.hub = hub;
        this.version = version;
        var logger = loggers.CreateLogger("FirmwareDownload");
        http = WebClient.Create(options);
        desk = new(
            new(Path.Combine(dataFolder, "downloads"), DownloadJson.Default.DownloadRecord, Recorded, logger),
            new PackageStore(storeFolder, options, time, logger),
            new FileFetcher(new RangeClient(http, options, time), options, time, random, logger),
            new DownloadAnswers(hub, options, time),
            options,
            time,
            logger
        );
        hub.OnInput(Routes.Downloads, HandleAsync);
    }

    /// <summary>Works until cancelled.</summary>
    public Task RunAsync(CancellationToken cancel) => desk.RunAsync(cancel);

    /// <inheritdoc/>
    public void Dispose()
    {
        desk.Dispose();
        http.Dispose();
    }

    private ValueTask HandleAsync(InputMessage message, CancellationToken cancel)
    {
        var json = message.Payload.Span;
        switch (message.Schema)
        {
            case Schemas.DownloadRequest:
                desk.Request(Parsed(JsonSerializer.Deserialize(json, ContractsJson.Default.DownloadRequest)));
                break;
            case Schemas.DownloadCancel:
                desk.Cancel(Parsed(JsonSerializer.Deserialize(json, ContractsJson.Default.DownloadCancel)).JobId);
                break;
            case Schemas.Ping:
                var ping = Parsed(JsonSerializer.Deserialize(json, ContractsJson.Default.Ping));
                hub.PostVolatile(
                    Routes.Downloads,
                    Schemas.Pong,
                    JsonSerializer.SerializeToUtf8Bytes(
                        new(ping.PingId, hub.ModuleId, version),
                        ContractsJson.Default.Pong
                    )
                );
                break;
            default:
                throw new BadMessageException($"Schema '{message.Schema}' is not one of this input.");
        }
        return ValueTask.CompletedTask;
    }

    private static T Parsed<T>(T? value)
        where T : class => value ?? throw new BadMessageException("The message is null.");
}
