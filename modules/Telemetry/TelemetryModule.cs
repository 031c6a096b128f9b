using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.Hosting;
using EdgeDm.ModuleHost;
using EdgeDm.Telemetry.Inventory;
using EdgeDm.Telemetry.Observing;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Telemetry;

/// <summary>The module put together: input <c>observations</c>, output <c>notifications</c>, the host's inventory.</summary>
public sealed class TelemetryModule : IDisposable
{
    private static readonly Failpoint Listed = new("telemetry.observations");

    private readonly IModuleHub hub;
    private readonly string version;
    private readonly HttpClient http;
    private readonly ObservationList list;
    private readonly Observer observer;

    /// <summary>Registers its input; works only in <see cref="RunAsync"/>.</summary>
    /// <param name="hub">The hub side.</param>
    /// <param name="dataFolder">The list of observations is kept here as <c>observations.json</c>.</param>
    /// <param name="options">Bounds.</param>
    /// <param name="version">For pongs.</param>
    /// <param name="time">The clock.</param>
    /// <param name="loggers">Log.</param>
    /// <exception cref="MisconfiguredException">The inventory endpoint is none.</exception>
    public TelemetryModule(
        IModuleHub hub,
        string dataFolder,
        TelemetryOptions options,
        string version,
        TimeProvider time,
        ILoggerFactory loggers
    )
    {
        this.hub = hub;
        this.version = version;
        var logger = loggers.CreateLogger("Telemetry");
        http = UnixHttp.CreateClient(options.InventoryEndpoint, options.InventoryTimeout);
        http.MaxResponseContentBufferSize = options.MaxInventoryBytes;
        http.DefaultRequestHeaders.Add(HostApiVersion.Header, HostApiVersion.Current.ToString());
        list = new(
            new(
                Path.Combine(dataFolder, "observations.json"),
                ContractsJson.Default.Observations,
                Listed,
                logger,
                time: time
            ),
            options,
            logger
        );
        observer = new(
            hub,
            new InventoryReader(http, UnixHttp.PathOf(options.InventoryEndpoint)),
            list.Load(),
            options,
            time,
            logger
        );
        hub.OnInput(Routes.Observations, HandleAsync);
    }

    /// <summary>Works until cancelled.</summary>
    public Task RunAsync(CancellationToken cancel) => observer.RunAsync(cancel);

    /// <inheritdoc/>
    public void Dispose()
    {
        observer.Dispose();
        http.Dispose();
    }

    private ValueTask HandleAsync(InputMessage message, CancellationToken cancel)
    {
        var json = message.Payload.Span;
        switch (message.Schema)
        {
            case Schemas.Observations:
                Replace(JsonSerializer.Deserialize(json, ContractsJson.Default.Observations));
                break;
            case Schemas.Ping:
                Answer(JsonSerializer.Deserialize(json, ContractsJson.Default.Ping));
                break;
            default:
                throw new BadMessageException($"Schema '{message.Schema}' is not one of this input.");
        }
        return ValueTask.CompletedTask;
    }

    private void Replace(Observations? wished)
    {
        try
        {
            observer.Replace(list.Replace(wished ?? throw new BadMessageException("The message is null.")));
        }
        catch (EdgeDmException error)
        {
            throw new BadMessageException(error.Error.Message, error);
        }
    }

    private void Answer(Ping? ping) =>
        hub.PostVolatile(
            Routes.Notifications,
            Schemas.Pong,
            JsonSerializer.SerializeToUtf8Bytes(
                new((ping ?? throw new BadMessageException("The message is null.")).PingId, hub.ModuleId, version),
                ContractsJson.Default.Pong
            )
        );
}
