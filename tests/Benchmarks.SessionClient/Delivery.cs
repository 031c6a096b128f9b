using System.Diagnostics;
using System.Text.Json.Nodes;
using EdgeDm.Hub;

namespace EdgeDm.Benchmarks.SessionClient;

/// <summary>
/// Numbered messages that all have to arrive, whatever happens to the hub: as an application does it that follows docs/session.md, with
/// <see cref="HubReconnect"/>, sending again what was not acknowledged.
/// </summary>
internal static class Delivery
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>Returns when all are acknowledged: how often it connected, and the longest time without an acknowledgement.</summary>
    public static async Task<JsonNode?> RunAsync(Func<HubSessionOptions> options, int count, int window, string output)
    {
        var open = new Queue<int>(Enumerable.Range(0, count));
        var connections = 0;
        var longest = TimeSpan.Zero;
        var last = Stopwatch.GetTimestamp();
        await HubReconnect.RunAsync(
            _ => ValueTask.FromResult(options()),
            async (session, token) =>
            {
                connections++;
                var underWay = new Queue<(int Number, ValueTask Sending)>();
                try
                {
                    while (open.Count > 0 || underWay.Count > 0)
                    {
                        if (open.Count > 0 && underWay.Count < window)
                        {
#pragma warning disable CA2012 // Each is awaited once: in its turn, or when the session is lost.
                            underWay.Enqueue(
                                (open.Peek(), session.SendToOutputAsync(output, MessageOf(open.Peek()), token))
                            );
#pragma warning restore CA2012
                            open.Dequeue();
                            continue;
                        }
                        await AcknowledgedAsync(underWay.Dequeue());
                        longest = Max(longest, Stopwatch.GetElapsedTime(last));
                        last = Stopwatch.GetTimestamp();
                    }
                }
                finally
                {
                    // The first has told why; the others failed for the same reason.
                    foreach (var (number, sending) in underWay)
                    {
                        open.Enqueue(number);
                        await SettleAsync(sending);
                    }
                }
            },
            HubReconnect.Backoff(FirstDelay, LongestDelay)
        );
        return new JsonObject { ["connections"] = connections, ["longestGap"] = longest.TotalSeconds };

        async ValueTask AcknowledgedAsync((int Number, ValueTask Sending) message)
        {
            try
            {
                await message.Sending;
            }
            catch
            {
                open.Enqueue(message.Number); // It may have arrived or not.
                throw;
            }
        }
    }

    private static OutboundMessage MessageOf(int number) => new(new byte[128]) { MessageId = $"n{number}" };

    private static async ValueTask SettleAsync(ValueTask sending)
    {
        try
        {
            await sending;
        }
        catch (Exception error) when (error is HubException or TimeoutException)
        {
            // It goes again.
        }
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
