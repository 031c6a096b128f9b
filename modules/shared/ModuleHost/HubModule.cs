using System.Text.Json.Nodes;
using EdgeDm.Hosting;
using EdgeDm.Hub;
using Microsoft.Extensions.Logging;

namespace EdgeDm.ModuleHost;

/// <summary>
/// A module's hub side over real connections: it connects, connects again after a loss and ahead of a token's end, and runs
/// the pumps of each connection. Start it before the hub, if you like: it waits.
/// </summary>
public sealed partial class HubModule : IModuleHub, IDisposable
{
    private readonly HubModuleOptions options;
    private readonly ILogger logger;
    private readonly InputDispatcher inputs;
    private readonly MethodDispatcher methods;
    private readonly DesiredDispatcher desired;
    private readonly Outbox outbox;
    private readonly ReportedProperties reported;
    private int started;
    private bool isConnected;

    /// <summary>Finds what an earlier process left in the data folder.</summary>
    public HubModule(HubModuleOptions options)
    {
        this.options = options;
        Directory.CreateDirectory(options.DataFolder);
        logger = options.LoggerFactory.CreateLogger<HubModule>();
        inputs = new(options);
        methods = new(options);
        desired = new(options);
        outbox = new(options);
        reported = new(options);
    }

    /// <inheritdoc />
    public event Action? ConnectionChanged;

    /// <inheritdoc />
    public string ModuleId => options.ModuleId;

    /// <inheritdoc />
    public bool IsConnected => Volatile.Read(ref isConnected);

    /// <summary>
    /// As edgeAgent or iotedgehubdev describes it in the environment, with its data in <c>hub</c> below <c>EDGEDM_DATA</c>
    /// (default <c>/var/lib/edgedm</c>).
    /// </summary>
    /// <exception cref="MisconfiguredException">The environment does not say who this module is.</exception>
    public static HubModule FromEnvironment(ProgramContext context)
    {
        string moduleId;
        try
        {
            moduleId = HubSessionOptions.ModuleIdFromEdgeEnvironment(context.Options.Find);
        }
        catch (EdgeEnvironmentException error)
        {
            throw new MisconfiguredException(error.Message);
        }
        return new(
            new()
            {
                ModuleId = moduleId,
                DataFolder = Path.Combine(context.Options.Text("EDGEDM_DATA", "/var/lib/edgedm"), "hub"),
                OptionsFactory = token => HubSessionOptions.FromEdgeEnvironmentAsync(context.Options.Find, token),
                ProductInfo = $"EdgeDm.{moduleId}/{context.Version}",
                TimeProvider = context.Time,
                LoggerFactory = context.Loggers,
            }
        );
    }

    /// <inheritdoc />
    public void OnInput(string input, Func<InputMessage, CancellationToken, ValueTask> handler)
    {
        CheckNotStarted();
        inputs.Add(input, handler);
    }

    /// <inheritdoc />
    public void OnMethod(string name, Func<MethodCall, CancellationToken, ValueTask<MethodReply>> handler)
    {
        CheckNotStarted();
        methods.Add(name, handler);
    }

    /// <inheritdoc />
    public void OnDesired(Func<DesiredDocument, CancellationToken, ValueTask> handler)
    {
        CheckNotStarted();
        desired.Set(handler);
    }

    /// <inheritdoc />
    public void Post(
        string output,
        string schema,
        ReadOnlyMemory<byte> json,
        string? messageId = null,
        PostKind kind = PostKind.Normal,
        string? series = null
    ) => outbox.Add(output, schema, json, messageId, kind, series);

    /// <inheritdoc />
    public void PostVolatile(string output, string schema, ReadOnlyMemory<byte> json, string? replaceKey = null)
    {
        if (IsConnected)
        {
            outbox.AddVolatile(output, schema, json, replaceKey);
        }
    }

    /// <inheritdoc />
    public void Report(IReadOnlyDictionary<string, JsonNode?> properties) => reported.Want(properties);

    /// <summary>
    /// Connects and keeps connected until cancelled, then says goodbye, waits for the handlers, and returns.
    /// </summary>
    /// <exception cref="MisconfiguredException">The environment or a connection string is wrong: no retry will help.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref started, 1) != 0)
        {
            throw new InvalidOperationException("This module's hub side has been started.");
        }
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var connecting = ConnectAsync(stop.Token);
        var handling = desired.HandleAsync(stop.Token);
        try
        {
            await await Task.WhenAny(connecting, handling);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Asked to.
        }
        catch (EdgeEnvironmentException error)
        {
            throw new MisconfiguredException(error.Message);
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(Settle(connecting), Settle(handling), inputs.DrainAsync());
            outbox.Flush();
        }
    }

    /// <inheritdoc />
    public void Dispose() => inputs.Dispose();

    /// <summary>Waits for a task whose outcome is known or no longer matters.</summary>
    private static Task Settle(Task task) =>
        task.ContinueWith(
            static ended => _ = ended.Exception,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );

    private void CheckNotStarted()
    {
        if (Volatile.Read(ref started) != 0)
        {
            throw new InvalidOperationException("Register handlers before RunAsync.");
        }
    }
}
