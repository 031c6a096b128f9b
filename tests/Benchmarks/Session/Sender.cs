using System.Text.Json.Nodes;

namespace EdgeDm.Benchmarks.Session;

/// <summary>A connected client that sends messages when told to.</summary>
/// <param name="Name">Of the client.</param>
/// <param name="Process">Its.</param>
/// <param name="Server">Time that the server has taken until now.</param>
/// <param name="Parameters">Of its call <c>send</c>, for a shape.</param>
internal sealed record Sender(
    string Name,
    ClientProcess Process,
    Func<TimeSpan> Server,
    Func<Shape, JsonObject> Parameters
) : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>Has it send, and returns what that cost.</summary>
    public async Task<SendSample> SendAsync(Shape shape, CancellationToken cancellationToken)
    {
        var (client, server) = (Process.Processor, Server());
        var result = await Process.CallAsync("send", Parameters(shape), Limit, cancellationToken);
        return new(
            shape.Count / (double)result!["seconds"]!,
            (Process.Processor - client).TotalMicroseconds / shape.Count,
            (Server() - server).TotalMicroseconds / shape.Count,
            (double?)result["allocated"] / shape.Count
        );
    }

    public ValueTask DisposeAsync() => Process.DisposeAsync();
}

/// <summary>What is to be sent.</summary>
/// <param name="Count">Messages.</param>
/// <param name="Window">Most without acknowledgement.</param>
/// <param name="Bytes">Of one payload.</param>
internal sealed record Shape(int Count, int Window, int Bytes)
{
    public JsonObject ToJson() =>
        new()
        {
            ["count"] = Count,
            ["window"] = Window,
            ["bytes"] = Bytes,
        };
}

/// <summary>What sending cost.</summary>
/// <param name="Rate">Messages acknowledged in a second.</param>
/// <param name="ClientMicroseconds">CPU of the client for each message.</param>
/// <param name="ServerMicroseconds">CPU of the server for each message.</param>
/// <param name="Allocated">Bytes for each message; null where the client does not tell.</param>
internal sealed record SendSample(double Rate, double ClientMicroseconds, double ServerMicroseconds, double? Allocated);
