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
    /// Sends <paramref name="count"/> messages through each pair with <paramref name="window"/> of each sender unacknowledged (0 = the next when the
    /// receiver has this one), and returns <c>seconds</c>, and <c>p50</c> and <c>p99</c> of the microseconds from a message's sending to its reception.
    /// </summary>
    public static async Task<JsonNode> RunAsync(
        IReadOnlyList<(RawClient Sender, byte[] Topic, RawClient Receiver)> pairs,
        int count,
        int window,
        int bytes
    )
    {
        var begin = Stopwatch.GetTimestamp();
        var senders =
            window == 0
                ? []
                : pairs.Select(p => OnThread(() => Send(p.Sender, p.Topic, count, window, bytes))).ToList();
        var receivers = pairs
            .Select(p =>
                OnThread(() =>
                    window == 0 ? Alternate(p.Sender, p.Topic, p.Receiver, count, bytes) : Receive(p.Receiver, count)
                )
            )
            .ToList();
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

    private static List<double> Alternate(RawClient sender, byte[] topic, RawClient receiver, int count, int bytes)
    {
        var times = new List<double>(count);
        var payload = new byte[bytes];
        var acknowledged = new StrongBox();
        for (var sent = 0; sent < count; sent++)
        {
            Publish(sender, topic, payload, sent);
            sender.Flush();
            times.AddRange(Receive(receiver, 1));
            while (acknowledged.Value <= sent)
            {
                ReadAcks(sender, acknowledged);
            }
        }
        return times;
    }

    private static int Send(RawClient client, byte[] topic, int count, int window, int bytes)
    {
        var payload = new byte[bytes];
        int sent = 0;
        var acknowledged = new StrongBox();
        while (acknowledged.Value < count)
        {
            for (; sent < count && sent - acknowledged.Value < window; sent++)
            {
                Publish(client, topic, payload, sent);
            }
            client.Flush();
            ReadAcks(client, acknowledged);
        }
        return sent;
    }

    private static void Publish(RawClient client, byte[] topic, byte[] payload, int number)
    {
        BinaryPrimitives.WriteInt64LittleEndian(payload, Stopwatch.GetTimestamp());
        var packetId = (ushort)(1 + (number % (ushort.MaxValue - 1)));
        PublishPacket.Write(client.Output, topic, payload, MqttQoS.AtLeastOnce, packetId);
    }

    private static void ReadAcks(RawClient client, StrongBox acknowledged) =>
        client.Read(acknowledged, static (box, frame) => box.Value += frame.Type == MqttPacketType.Puback ? 1 : 0);

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
