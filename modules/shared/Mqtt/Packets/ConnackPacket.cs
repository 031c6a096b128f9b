using System.Buffers;
using EdgeDm.Mqtt.Internal;

namespace EdgeDm.Mqtt;

/// <summary>The server's answer to CONNECT (MQTT 3.1.1, 3.2).</summary>
/// <param name="SessionPresent">The server remembers the client's subscriptions.</param>
/// <param name="Code">Accepted, or why not.</param>
public readonly record struct ConnackPacket(bool SessionPresent, ConnackCode Code)
{
    /// <summary>Reads the body of a CONNACK. Codes above 5 are reserved and a protocol error.</summary>
    public static ConnackPacket Parse(in MqttFrame frame)
    {
        var reader = new BodyReader(frame);
        var flags = reader.ReadByte();
        var code = reader.ReadByte();
        reader.ExpectEnd();
        if (flags > 1 || code > (byte)ConnackCode.NotAuthorized)
        {
            throw new MqttProtocolException($"CONNACK has the flags {flags} and the code {code}.");
        }
        if (flags == 1 && code != 0)
        {
            throw new MqttProtocolException("CONNACK refuses and tells of a session (MQTT 3.1.1, 3.2.2-4).");
        }
        return new(flags == 1, (ConnackCode)code);
    }

    /// <summary>Writes the packet.</summary>
    public void Write(IBufferWriter<byte> output)
    {
        BodyWriter.WriteHeader(output, MqttPacketType.Connack, 0, 2);
        BodyWriter.WriteByte(output, SessionPresent && Code == ConnackCode.Accepted ? (byte)1 : (byte)0);
        BodyWriter.WriteByte(output, (byte)Code);
    }
}

/// <summary>CONNACK return codes (MQTT 3.1.1, table 3.1). edgeHub uses 0, 3 and 5.</summary>
public enum ConnackCode
{
    Accepted = 0,
    UnacceptableProtocolVersion = 1,
    IdentifierRejected = 2,
    ServerUnavailable = 3,
    BadUserNameOrPassword = 4,
    NotAuthorized = 5,
}
