using System.Diagnostics;
using System.Text.Json.Nodes;
using EdgeDm.Hub;

namespace EdgeDm.Benchmarks.SessionClient;

/// <summary>Sends telemetry, with a number of messages under way at any time.</summary>
internal static class Telemetry
{
    /// <summary>Sends, and returns the time until the last one was acknowledged.</summary>
    public static async Task<TimeSpan> SendAsync(IoTHubSession session, Shape shape)
    {
        // One for all: what is counted as allocated is the session's.
        var message = new OutboundMessage(new byte[shape.Bytes]);
        var underWay = new ValueTask[shape.Window];
        var begin = Stopwatch.GetTimestamp();
        for (var i = 0; i < shape.Count; i++)
        {
            var place = i % shape.Window;
            await underWay[place];
#pragma warning disable CA2012 // Each is awaited once, when its place is needed again.
            underWay[place] = shape.Output is null
                ? session.SendTelemetryAsync(message)
                : session.SendToOutputAsync(shape.Output, message);
#pragma warning restore CA2012
        }
        foreach (var last in underWay)
        {
            await last;
        }
        return Stopwatch.GetElapsedTime(begin);
    }
}

/// <summary>What is to be sent.</summary>
/// <param name="Count">Messages.</param>
/// <param name="Window">Most without acknowledgement.</param>
/// <param name="Bytes">Of one payload.</param>
/// <param name="Output">Of the module; null = telemetry.</param>
internal sealed record Shape(int Count, int Window, int Bytes, string? Output)
{
    public static Shape Of(JsonObject call) =>
        new((int)call["count"]!, (int)call["window"]!, (int)call["bytes"]!, (string?)call["output"]);
}
