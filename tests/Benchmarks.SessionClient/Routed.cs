using System.Buffers.Binary;
using System.Diagnostics;
using System.Text.Json.Nodes;
using EdgeDm.Mqtt;

namespace EdgeDm.Benchmarks.SessionClient;

/// <summary>Pairs of a sender and a receiver, with a server between them.</summary>
internal static class Routed
{
    private const double MicrosecondsPerSecond = 1e6;

    /// <summary>
    /// Sends <paramref name="count"/> messages through each pair with <paramref name="window"/> of each sender unacknowledged, and
    /// returns <c>seconds</c>, and <c>p50</c> and <c>p99</c> of the microseconds from a message's sending to its reception.
    /// </summary>
    public static async Task<JsonNode> RunAsync(
        IReadOnlyList<(RawClient Sender, byte[] Topic, RawClient Receiver)> pairs,
        int count,
        int window,
        int bytes
    )
    {
        var begin = Stopwatch.GetTimestamp();
        var senders = pairs.Select(p => OnThread(() => Send(p.Sender, p.Topic, count, window, bytes))).ToList();
        var receivers = pairs.Select(p => OnThread(() => Receive(p.Receiver, count))).ToList();
        await Task.WhenAll(senders);
        var times = (await Task.WhenAll(receivers)).SelectMany(t => t).Order().ToList();
        return new JsonObject
        {
            ["seconds"] = Stopwatch.GetElapsedTime(begin).TotalSeconds,
            ["p50"] = times[times.Count / 2],
            ["p99"] = times[times.Count * 99 / 100],
        };
    }

    private static Task<T> OnThread<T>(Func<T> run) =>
        Task.Factory.StartNew(run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static int Send(RawClient client, byte[] topic, int count, int window, int bytes)
    {
        var payload = new byte[bytes];
        int sent = 0;
        var acknowledged = new StrongBox();
        while (acknowledged.Value < count)
        {
            for (; sent < count && sent - acknowledged.Value < window; sent++)
            {
                BinaryPrimitives.WriteInt64LittleEndian(payload, Stopwatch.GetTimestamp());
                PublishPacket.Write(
                    client.Output,
                    topic,
                    payload,
                    MqttQoS.AtLeastOnce,
                    (ushort)(1 + (sent % (ushort.MaxValue - 1)))
                );
            }
            client.Flush();
            client.Read(acknowledged, static (box, frame) => box.Value += frame.Type == MqttPacketType.Puback ? 1 : 0);
        }
        return sent;
    }

    private static List<double> Receive(RawClient client, int count)
    {
        var times = new List<double>(count);
        while (times.Count < count)
        {
            client.Read(
                (client, times),
                static (state, frame) =>
                {
                    if (frame.Type != MqttPacketType.Publish)
                    {
                        return;
                    }
                    var message = PublishPacket.Parse(frame);
                    Span<byte> stamp = stackalloc byte[sizeof(long)];
                    System.Buffers.BuffersExtensions.CopyTo(message.Payload.Slice(0, sizeof(long)), stamp);
                    var since = Stopwatch.GetElapsedTime(BinaryPrimitives.ReadInt64LittleEndian(stamp));
                    state.times.Add(since.TotalSeconds * MicrosecondsPerSecond);
                    PubackPacket.Write(state.client.Output, message.PacketId);
                }
            );
            client.Flush();
        }
        return times;
    }

    private sealed class StrongBox
    {
        public int Value { get; set; }
    }
}
