using System.Buffers.Binary;

namespace EdgeDm.HostAccess.Hosts.Linux.DBus;

/// <summary>Messages to bytes and back.</summary>
internal static class DBusCodec
{
    /// <summary>So many bytes tell how long a message is.</summary>
    public const int HeadLength = 16;

    private const byte LittleEndian = (byte)'l';
    private const byte BigEndian = (byte)'B';
    private const byte ProtocolVersion = 1;
    private const byte NoReplyExpected = 1;
    private const int FieldsAt = 12;

    private static readonly DBusType Fields = DBusType.ParseOne("a(yv)");
    private static readonly DBusType UInt32 = DBusType.ParseOne("u");
    private static readonly DBusType Byte = DBusType.ParseOne("y");

    /// <summary>The message's bytes.</summary>
    /// <exception cref="ArgumentException">A value is not what the signature says.</exception>
    /// <exception cref="DBusFormatException">A bound would be exceeded.</exception>
    public static byte[] Encode(DBusMessage message, DBusLimits limits, bool bigEndian = false)
    {
        var types = DBusType.ParseAll(message.Signature);
        if (types.Length != message.Body.Count)
        {
            throw new ArgumentException($"'{message.Signature}' stands for {message.Body.Count} values.");
        }
        var body = new DBusWriter(limits, bigEndian);
        for (var index = 0; index < types.Length; index++)
        {
            body.Write(types[index], message.Body[index]);
        }
        var whole = new DBusWriter(limits, bigEndian);
        foreach (
            var octet in new[]
            {
                bigEndian ? BigEndian : LittleEndian,
                (byte)message.Kind,
                message.NoReply ? NoReplyExpected : (byte)0,
                ProtocolVersion,
            }
        )
        {
            whole.Write(Byte, octet);
        }
        whole.Write(UInt32, (uint)body.Length);
        whole.Write(UInt32, message.Serial);
        whole.Write(Fields, FieldsOf(message));
        whole.Align(8);
        var head = whole.ToArray();
        return head.Length + body.Length <= limits.MaxMessage
            ? [.. head, .. body.ToArray()]
            : throw new DBusFormatException($"A message of over {limits.MaxMessage} bytes is not sent.");
    }

    /// <summary>The whole length of the message that begins with these <see cref="HeadLength"/> bytes.</summary>
    /// <exception cref="DBusFormatException">It is no message, or it is too long.</exception>
    public static int LengthOf(ReadOnlySpan<byte> head, DBusLimits limits)
    {
        var bigEndian = IsBigEndian(head[0]);
        if (head[3] != ProtocolVersion)
        {
            throw new DBusFormatException($"A message of protocol version {head[3]} came.");
        }
        long body = Number(head[4..], bigEndian);
        long fields = Number(head[FieldsAt..], bigEndian);
        var length = HeadLength + ((fields + 7) & ~7L) + body;
        return length <= limits.MaxMessage
            ? (int)length
            : throw new DBusFormatException($"A message of {length} bytes is over the limit of {limits.MaxMessage}.");
    }

    /// <summary>The message of these bytes, which are as many as <see cref="LengthOf"/> says.</summary>
    /// <exception cref="DBusFormatException">They are no message.</exception>
    public static DBusMessage Decode(ReadOnlySpan<byte> bytes, DBusLimits limits)
    {
        var bigEndian = IsBigEndian(bytes[0]);
        var bodyLength = (int)Number(bytes[4..], bigEndian);
        var message = new DBusMessage((DBusMessageKind)bytes[1])
        {
            NoReply = (bytes[2] & NoReplyExpected) != 0,
            Serial = Number(bytes[8..], bigEndian),
        };
        var header = new DBusReader(bytes[..^bodyLength], bigEndian, limits);
        header.Skip(FieldsAt);
        message = WithFields(message, (object[])header.Read(Fields));
        header.Align(8);
        Check(message);
        return message with
        {
            Body = ReadBody(message.Signature, new(bytes[^bodyLength..], bigEndian, limits), bodyLength),
        };
    }

    private static List<object> ReadBody(string signature, DBusReader reader, int length)
    {
        var body = new List<object>();
        foreach (var type in DBusType.ParseAll(signature))
        {
            body.Add(reader.Read(type));
        }
        return reader.Position == length
            ? body
            : throw new DBusFormatException($"A body of {length} bytes is longer than its signature '{signature}'.");
    }

    private static IEnumerable<object> FieldsOf(DBusMessage message)
    {
        (byte Code, string Type, object? Value)[] fields =
        [
            (1, "o", message.Path),
            (2, "s", message.Interface),
            (3, "s", message.Member),
            (4, "s", message.ErrorName),
            (5, "u", message.ReplySerial == 0 ? null : message.ReplySerial),
            (6, "s", message.Destination),
            (7, "s", message.Sender),
            (8, "g", message.Signature.Length == 0 ? null : message.Signature),
        ];
        foreach (var (code, type, value) in fields)
        {
            if (value is not null)
            {
                yield return new object[] { code, new DBusVariant(type, value) };
            }
        }
    }

    private static DBusMessage WithFields(DBusMessage message, object[] fields)
    {
        var seen = new HashSet<byte>();
        foreach (var field in fields.Cast<object[]>())
        {
            var code = (byte)field[0];
            if (!seen.Add(code))
            {
                throw new DBusFormatException($"Header field {code} is there twice.");
            }
            var (signature, value) = (DBusVariant)field[1];
            message = (code, signature) switch
            {
                (1, "o") => message with { Path = (string)value },
                (2, "s") => message with { Interface = Name(value) },
                (3, "s") => message with { Member = Name(value) },
                (4, "s") => message with { ErrorName = Name(value) },
                (5, "u") => message with { ReplySerial = (uint)value },
                (6, "s") => message with { Destination = Name(value) },
                (7, "s") => message with { Sender = Name(value) },
                (8, "g") => message with { Signature = (string)value },
                // Descriptors come only where both sides agreed on them, and this side does not.
                (<= 9, _) => throw new DBusFormatException($"Header field {code} has the type '{signature}'."),
                _ => message,
            };
        }
        return message;
    }

    private static string Name(object value) =>
        value is string text && DBusNames.IsName(text)
            ? text
            : throw new DBusFormatException("A header field holds a name that is none.");

    private static void Check(DBusMessage message)
    {
        var complete = message.Kind switch
        {
            DBusMessageKind.Invalid => false,
            DBusMessageKind.Call => message is { Path: not null, Member: not null },
            DBusMessageKind.Return => message.ReplySerial != 0,
            DBusMessageKind.Error => message is { ErrorName: not null, ReplySerial: not 0 },
            DBusMessageKind.Signal => message is { Path: not null, Interface: not null, Member: not null },
            _ => true,
        };
        if (!complete || message.Serial == 0)
        {
            throw new DBusFormatException($"A message of kind {(byte)message.Kind} lacks a header field.");
        }
    }

    private static bool IsBigEndian(byte mark) =>
        mark switch
        {
            LittleEndian => false,
            BigEndian => true,
            _ => throw new DBusFormatException($"A message begins with {mark}, which is no byte order."),
        };

    private static uint Number(ReadOnlySpan<byte> bytes, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
