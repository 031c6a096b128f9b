using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.Mqtt;

namespace EdgeDm.Benchmarks.SessionClient;

/// <summary>
/// An MQTT client over TLS that does next to nothing, for measuring servers: its thread waits in the system's <c>recv</c> and answers what
/// it has read together. Any broker will do.
/// </summary>
internal sealed class RawClient : IDisposable
{
    private const int LargestPacket = 256 * 1024;
    private const ushort NoKeepAlive = 0;
    private const int FirstBuffer = 4 * 1024;

    private readonly SslStream stream;
    private readonly ArrayBufferWriter<byte> output = new();
    private byte[] input = new byte[FirstBuffer];
    private int filled;

    private RawClient(SslStream stream) => this.stream = stream;

    /// <summary>Packets are written here; <see cref="Flush"/> sends them.</summary>
    public IBufferWriter<byte> Output => output;

    /// <summary>Connects, and subscribes if <paramref name="who"/> has a <c>filter</c>.</summary>
    /// <param name="host">Server.</param>
    /// <param name="port">Its port of MQTT over TLS.</param>
    /// <param name="roots">Whom to trust.</param>
    /// <param name="who"><c>clientId</c>, <c>userName</c> and <c>password</c> if any, <c>filter</c> if any.</param>
    public static RawClient Connect(string host, int port, X509Certificate2Collection roots, JsonObject who)
    {
        // Nothing asynchronous, ever: the socket would wait by way of a thread for all sockets from then on.
        var secured = new SslStream(new TcpClient(host, port) { NoDelay = true }.GetStream());
        secured.AuthenticateAsClient(BareTls.OptionsOf(host, roots));
        var client = new RawClient(secured);
        new ConnectPacket(
            (string)who["clientId"]!,
            CleanSession: true,
            NoKeepAlive,
            (string?)who["userName"],
            who["password"] is { } password ? (ReadOnlyMemory<byte>?)Encoding.UTF8.GetBytes((string)password!) : null,
            Will: null
        ).Write(client.output);
        client.Flush();
        client.Expect(MqttPacketType.Connack, frame => ConnackPacket.Parse(frame).Code == ConnackCode.Accepted);
        if (who["filter"] is { } filter)
        {
            new SubscribePacket(1, [new((string)filter!, MqttQoS.AtLeastOnce)]).Write(client.output);
            client.Flush();
            client.Expect(
                MqttPacketType.Suback,
                frame => SubackPacket.Parse(frame).Codes is [not SubackPacket.Failure]
            );
        }
        return client;
    }

    /// <summary>Sends what was written.</summary>
    public void Flush()
    {
        if (output.WrittenCount > 0)
        {
            stream.Write(output.WrittenSpan);
            output.ResetWrittenCount();
        }
    }

    /// <summary>Gives all packets that have come, waiting for the first; they are gone afterwards.</summary>
    public void Read<T>(T state, Action<T, MqttFrame> handle)
    {
        if (filled == input.Length)
        {
            Array.Resize(ref input, 2 * input.Length);
        }
        var count = stream.Read(input, filled, input.Length - filled);
        if (count == 0)
        {
            throw new IOException("The server closed the connection.");
        }
        filled += count;
        var buffer = new ReadOnlySequence<byte>(input, 0, filled);
        while (MqttFrame.TryReadFrame(ref buffer, LargestPacket, out var frame))
        {
            handle(state, frame);
        }
        filled = (int)buffer.Length;
        buffer.CopyTo(input); // What is left of a packet moves to the front.
    }

    public void Dispose() => stream.Dispose();

    private void Expect(MqttPacketType type, Func<MqttFrame, bool> isGood)
    {
        var answers = new List<bool>();
        while (answers.Count == 0)
        {
            Read(answers, (all, frame) => all.Add(frame.Type == type && isGood(frame)));
        }
        if (answers is not [true])
        {
            throw new IOException($"The server refused: no good {type}.");
        }
    }
}
