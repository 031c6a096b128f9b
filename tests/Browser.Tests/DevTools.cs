using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;

namespace EdgeDm.Browser.Tests;

/// <summary>The DevTools protocol: calls with answers, and events.</summary>
internal sealed class DevTools : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ClientWebSocket socket;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonObject>> calls = new();
    private readonly SemaphoreSlim sending = new(1);
    private readonly Task reading;
    private int lastCall;

    private DevTools(ClientWebSocket socket)
    {
        this.socket = socket;
        reading = ReadAsync();
    }

    /// <summary>Told of each event: its method and its parameters.</summary>
    public event Action<string, JsonObject>? Happened;

    public static async Task<DevTools> ConnectAsync(Uri address, CancellationToken cancellationToken)
    {
        var opened = new ClientWebSocket();
        await opened.ConnectAsync(address, cancellationToken);
        return new(opened);
    }

    /// <summary>Calls a method and returns its result.</summary>
    public async Task<JsonObject> CallAsync(string method, JsonObject? parameters = null, string? session = null)
    {
        var id = Interlocked.Increment(ref lastCall);
        var answer = calls[id] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var call = new JsonObject
        {
            ["id"] = id,
            ["method"] = method,
            ["params"] = parameters ?? [],
        };
        if (session is not null)
        {
            call["sessionId"] = session;
        }
        await sending.WaitAsync();
        try
        {
            await socket.SendAsync(
                Encoding.UTF8.GetBytes(call.ToJsonString()),
                WebSocketMessageType.Text,
                endOfMessage: true,
                CancellationToken.None
            );
        }
        finally
        {
            sending.Release();
        }
        var told = await answer.Task.WaitAsync(Patience);
        return told["result"] as JsonObject
            ?? throw new InvalidOperationException($"{method}: {told["error"]?.ToJsonString()}");
    }

    public async ValueTask DisposeAsync()
    {
        socket.Abort();
        await reading;
        socket.Dispose();
        sending.Dispose();
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[64 * 1024];
        using var message = new MemoryStream();
        try
        {
            while (true)
            {
                var part = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                message.Write(buffer, 0, part.Count);
                if (part.EndOfMessage)
                {
                    Take(JsonNode.Parse(message.GetBuffer().AsSpan(0, (int)message.Length))!.AsObject());
                    message.SetLength(0);
                }
            }
        }
        catch (Exception error)
            when (error is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            foreach (var (_, call) in calls)
            {
                call.TrySetException(new InvalidOperationException("Chromium is gone.", error));
            }
        }
    }

    private void Take(JsonObject message)
    {
        if (message["id"] is { } id)
        {
            if (calls.TryRemove((int)id, out var call))
            {
                call.SetResult(message);
            }
            return;
        }
        Happened?.Invoke((string)message["method"]!, message["params"]!.AsObject());
    }
}
