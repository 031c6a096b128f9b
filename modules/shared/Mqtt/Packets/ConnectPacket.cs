using System.Buffers;
using EdgeDm.Mqtt.Internal;

namespace EdgeDm.Mqtt;

/// <summary>A client's first packet (MQTT 3.1.1, 3.1).</summary>
/// <param name="ClientId">May be empty with <paramref name="CleanSession"/> only.</param>
/// <param name="CleanSession">True: the server forgets the last session.</param>
/// <param name="KeepAliveSeconds">The server closes after 1.5 times this without a packet; 0 = never.</param>
/// <param name="UserName">Null when absent.</param>
/// <param name="Password">Null when absent; needs a user name.</param>
/// <param name="Will">What the server publishes when the client vanishes; null when absent.</param>
public sealed record ConnectPacket(
    string ClientId,
    bool CleanSession,
    ushort KeepAliveSeconds,
    string? UserName = null,
    ReadOnlyMemory<byte>? Password = null,
    MqttWill? Will = null
)
{
    private const string ProtocolName = "MQTT";
    private const byte ProtocolLevel = 4;

    private const byte CleanSessionFlag = 0x02;
    private const byte WillFlag = 0x04;
    private const byte WillQoSMask = 0x18;
    private const byte WillRetainFlag = 0x20;
    private const byte PasswordFlag = 0x40;
    private const byte UserNameFlag = 0x80;

    /// <summary>Reads the body of a CONNECT.</summary>
    /// <exception cref="MqttProtocolException">With the CONNACK code to refuse it by, where there is one.</exception>
    public static ConnectPacket Parse(in MqttFrame frame)
    {
        var reader = new BodyReader(frame);
        var name = reader.ReadText();
        var level = reader.ReadByte();
        if (name != ProtocolName || level != ProtocolLevel)
        {
            // 3.1.2-1 lets a server close on another name; 3.1's clients ("MQIsdp", 3) understand the code as well.
            throw new MqttProtocolException(
                $"Protocol '{name}' level {level} is not MQTT 3.1.1.",
                name is ProtocolName or "MQIsdp" ? ConnackCode.UnacceptableProtocolVersion : null
            );
        }
        var flags = reader.ReadByte();
        CheckFlags(flags);
        var keepAlive = reader.ReadUInt16();
        var clientId = reader.ReadText();
        var clean = (flags & CleanSessionFlag) != 0;
        if (clientId.Length == 0 && !clean)
        {
            throw new MqttProtocolException(
                "An empty client id needs a clean session.",
                ConnackCode.IdentifierRejected
            );
        }
        var will = (flags & WillFlag) != 0 ? ReadWill(ref reader, flags) : null;
        var userName = (flags & UserNameFlag) != 0 ? reader.ReadText() : null;
        var password = (flags & PasswordFlag) != 0 ? reader.ReadBytes() : (ReadOnlyMemory<byte>?)null;
        reader.ExpectEnd();
        return new(clientId, clean, keepAlive, userName, password, will);
    }

    /// <summary>Writes the packet.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        if (Password is not null && UserName is null)
        {
            throw new ArgumentException("A password needs a user name (MQTT 3.1.1, 3.1.2-22).");
        }
        var length = BodyWriter.TextLength(ProtocolName) + 4 + BodyWriter.TextLength(ClientId);
        length += Will is null ? 0 : BodyWriter.TextLength(Will.Topic) + BodyWriter.BytesLength(Will.Payload.Length);
        length += UserName is null ? 0 : BodyWriter.TextLength(UserName);
        length += Password is { } secret ? BodyWriter.BytesLength(secret.Length) : 0;
        BodyWriter.WriteHeader(output, MqttPacketType.Connect, 0, length);
        BodyWriter.WriteText(output, ProtocolName);
        BodyWriter.WriteByte(output, ProtocolLevel);
        BodyWriter.WriteByte(output, Flags());
        BodyWriter.WriteUInt16(output, KeepAliveSeconds);
        BodyWriter.WriteText(output, ClientId);
        if (Will is not null)
        {
            BodyWriter.WriteText(output, Will.Topic);
            BodyWriter.WriteBytes(output, Will.Payload.Span);
        }
        if (UserName is not null)
        {
            BodyWriter.WriteText(output, UserName);
        }
        if (Password is { } password)
        {
            BodyWriter.WriteBytes(output, password.Span);
        }
    }

    /// <summary>Without the password: this text goes into logs.</summary>
    public override string ToString() => $"CONNECT {ClientId} as {UserName}";

    private static void CheckFlags(byte flags)
    {
        var problem = flags switch
        {
            _ when (flags & 0x01) != 0 => "the reserved bit is set",
            _ when (flags & WillFlag) == 0 && (flags & (WillQoSMask | WillRetainFlag)) != 0 =>
                "there is a will's QoS or retain without a will",
            _ when (flags & WillQoSMask) == WillQoSMask => "the will's QoS is 3",
            _ when (flags & UserNameFlag) == 0 && (flags & PasswordFlag) != 0 =>
                "there is a password without a user name",
            _ => null,
        };
        if (problem is not null)
        {
            throw new MqttProtocolException($"CONNECT has the flags 0x{flags:x2}: {problem}.");
        }
    }

    private static MqttWill ReadWill(ref BodyReader reader, byte flags)
    {
        var topic = reader.ReadText();
        if (!TopicFilter.IsValidTopic(topic))
        {
            throw new MqttProtocolException($"'{topic}' is no topic for a will.");
        }
        var qos = (MqttQoS)((flags & WillQoSMask) >> 3);
        return new(topic, reader.ReadBytes(), qos, (flags & WillRetainFlag) != 0);
    }

    private byte Flags()
    {
        var flags = CleanSession ? CleanSessionFlag : 0;
        if (Will is not null)
        {
            flags |= WillFlag | ((int)Will.QoS << 3) | (Will.Retain ? WillRetainFlag : 0);
        }
        flags |= UserName is null ? 0 : UserNameFlag;
        flags |= Password is null ? 0 : PasswordFlag;
        return (byte)flags;
    }
}

/// <summary>What the server publishes for a client that vanished without DISCONNECT.</summary>
public sealed record MqttWill(string Topic, ReadOnlyMemory<byte> Payload, MqttQoS QoS, bool Retain);
