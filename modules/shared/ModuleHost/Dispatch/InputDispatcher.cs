using System.Text.Json;
using EdgeDm.Hub;
using Microsoft.Extensions.Logging;

namespace EdgeDm.ModuleHost;

/// <summary>
/// Hands input messages to their handlers, one at a time. A handler outlives the connection that its message came by: the
/// message is then known when it comes again.
/// </summary>
internal sealed partial class InputDispatcher(HubModuleOptions options) : IDisposable
{
    private const string SchemaProperty = "schema";

    private readonly ILogger logger = options.LoggerFactory.CreateLogger<InputDispatcher>();
    private readonly Dictionary<string, Func<InputMessage, CancellationToken, ValueTask>> handlers = new(
        StringComparer.OrdinalIgnoreCase // edgeHub's routes do not tell case.
    );
    private readonly SeenMessages seen = new(options.MaxSeenMessages);
    private readonly SemaphoreSlim turn = new(1);
    private Task running = Task.CompletedTask;

    /// <summary>True when an input has a handler.</summary>
    public bool IsNeeded => handlers.Count > 0;

    /// <summary>Registers a handler.</summary>
    public void Add(string input, Func<InputMessage, CancellationToken, ValueTask> handler) =>
        handlers.Add(input, handler);

    /// <summary>Reads until the connection ends.</summary>
    /// <param name="session">The connection.</param>
    /// <param name="connection">Ends the reading.</param>
    /// <param name="module">Ends a handler.</param>
    public async Task RunAsync(IoTHubSession session, CancellationToken connection, CancellationToken module)
    {
        await foreach (var message in session.ReadInputsAsync(cancellationToken: connection))
        {
            await turn.WaitAsync(connection);
            running = HandleInTurnAsync(message, module);
            await running.WaitAsync(connection);
        }
    }

    /// <summary>Waits for the handler that runs.</summary>
    public Task DrainAsync() => running;

    /// <inheritdoc />
    public void Dispose() => turn.Dispose();

    private async Task HandleInTurnAsync(HubMessage message, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Yield(); // The reader waits with its own token.
            await HandleAsync(message, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The module stops; the message was not acknowledged and comes again.
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task HandleAsync(HubMessage message, CancellationToken cancellationToken)
    {
        if (!handlers.TryGetValue(message.InputName, out var handler))
        {
            LogNoHandler(logger, message.InputName);
            await message.AckAsync();
            return;
        }
        var sender = message.ConnectionDeviceId is { } device ? $"{device}/{message.ConnectionModuleId}" : "";
        // Two routes may bring one message to two inputs, and two senders may count alike.
        var key = message.MessageId is { Length: > 0 } id ? $"{message.InputName}\n{sender}\n{id}" : null;
        if (key is not null && seen.Contains(key))
        {
            LogRepeat(logger, message.InputName, message.MessageId!);
            await message.AckAsync();
            return;
        }
        var told = new InputMessage(
            message.InputName,
            message[SchemaProperty] ?? "",
            message.MessageId ?? "",
            sender,
            message.Payload
        );
        await CallAsync(handler, told, cancellationToken);
        if (key is not null)
        {
            seen.Add(key);
        }
        await message.AckAsync();
    }

    /// <summary>Calls until it works or cannot: the message stays unacknowledged meanwhile.</summary>
    private async Task CallAsync(
        Func<InputMessage, CancellationToken, ValueTask> handler,
        InputMessage message,
        CancellationToken cancellationToken
    )
    {
        var delay = options.HandlerRetry;
        while (true)
        {
            try
            {
                await handler(message, cancellationToken);
                return;
            }
            catch (Exception error) when (error is BadMessageException or JsonException)
            {
                LogBadMessage(logger, error, message.Input, message.Schema, message.Sender);
                return;
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                LogHandlerFailed(logger, error, message.Input, message.MessageId, delay.TotalSeconds);
            }
            await Task.Delay(delay, options.TimeProvider, cancellationToken);
            delay = delay * 2 < options.LongestRetry ? delay * 2 : options.LongestRetry;
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "A message at input {Input} was dropped: this module has no such input"
    )]
    private static partial void LogNoHandler(ILogger logger, string input);

    [LoggerMessage(
        Level = LogLevel.Debug,
        Message = "Message {MessageId} at input {Input} has been handled before and was dropped"
    )]
    private static partial void LogRepeat(ILogger logger, string input, string messageId);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "A message {Schema} from {Sender} at input {Input} was dropped: its content is wrong"
    )]
    private static partial void LogBadMessage(
        ILogger logger,
        Exception error,
        string input,
        string schema,
        string sender
    );

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The handler of input {Input} failed on message {MessageId}; again in {Seconds} s"
    )]
    private static partial void LogHandlerFailed(
        ILogger logger,
        Exception error,
        string input,
        string messageId,
        double seconds
    );
}
