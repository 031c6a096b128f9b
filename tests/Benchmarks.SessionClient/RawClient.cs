using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.Mqtt;

namespace EdgeDm.Benchmarks.SessionClient;

/// <summary>
/// An MQTT client over TLS that does next to nothing, for measuring servers: one loop of its own reads, and answers what it has read
/// together. Any broker will do.
/// </summary>
internal sealed class RawClient : IAsyncDisposable
{
    private const int LargestPacket = 256 * 1024;
    private const ushort NoKeepAlive = 0;

    private readonly BareTls tls;
    private readonly PipeReader input;
    private readonly ArrayBufferWriter<byte> output = new();

    private RawClient(BareTls tls)
    {
        this.tls = tls;
        input = PipeReader.Create(tls.Stream);
    }

    /// <summary>Packets are written here; <see cref="FlushAsync"/> sends them.</summary>
    public IBufferWriter<byte> Output => output;

    /// <summary>Connects, and subscribes if <paramref name="who"/> has a <c>filter</c>.</summary>
    /// <param name="host">Server.</param>
    /// <param name="port">Its port of MQTT over TLS.</param>
    /// <param name="roots">Whom to trust.</param>
    /// <param name="who"><c>clientId</c>, <c>userName</c> and <c>password</c> if any, <c>filter</c> if any.</param>
    public static async Task<RawClient> ConnectAsync(
        string host,
        int port,
        X509Certificate2Collection roots,
        JsonObject who
    )
    {
        var client = new RawClient(await BareTls.ConnectAsync(host, port, roots));
        new ConnectPacket(
            (string)who["clientId"]!,
            CleanSession: true,
            NoKeepAlive,
            (string?)who["userName"],
            who["password"] is { } password ? (ReadOnlyMemory<byte>?)Encoding.UTF8.GetBytes((string)password!) : null,
            Will: null
        ).Write(client.output);
        await client.FlushAsync();
        await client.ExpectAsync(
            MqttPacketType.Connack,
            frame => ConnackPacket.Parse(frame).Code == ConnackCode.Accepted
        );
        if (who["filter"] is { } filter)
        {
            new SubscribePacket(1, [new((string)filter!, MqttQoS.AtLeastOnce)]).Write(client.output);
            await client.FlushAsync();
            await client.ExpectAsync(
                MqttPacketType.Suback,
                frame => SubackPacket.Parse(frame).Codes is [not SubackPacket.Failure]
            );
        }
        return client;
    }

    /// <summary>Sends what was written.</summary>
    public async ValueTask FlushAsync()
    {
        if (output.WrittenCount > 0)
        {
            await tls.Stream.WriteAsync(output.WrittenMemory);
            output.ResetWrittenCount();
        }
    }

    /// <summary>Gives all packets that have come, waiting for the first; they are gone afterwards.</summary>
    public async ValueTask ReadAsync<T>(T state, Action<T, MqttFrame> handle)
    {
        var result = await input.ReadAsync();
        var buffer = result.Buffer;
        while (MqttFrame.TryReadFrame(ref buffer, LargestPacket, out var frame))
        {
            handle(state, frame);
        }
        input.AdvanceTo(buffer.Start, buffer.End);
        if (result.IsCompleted)
        {
            throw new IOException("The server closed the connection.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await input.CompleteAsync();
        await tls.DisposeAsync();
    }

    private async Task ExpectAsync(MqttPacketType type, Func<MqttFrame, bool> isGood)
    {
        var answers = new List<bool>();
        while (answers.Count == 0)
        {
            await ReadAsync(answers, (all, frame) => all.Add(frame.Type == type && isGood(frame)));
        }
        if (answers is not [true])
        {
            throw new IOException($"The server refused: no good {type}.");
        }
    }
}
