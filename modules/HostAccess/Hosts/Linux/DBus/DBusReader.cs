using System.Buffers.Binary;
using System.Text;

namespace EdgeDm.HostAccess.Hosts.Linux.DBus;

/// <summary>
/// Bytes to values, led by a signature. <c>y b n q i u x t d</c> become .NET's types of that size; <c>s o g</c> text; <c>v</c> a
/// <see cref="DBusVariant"/>; <c>ay</c> a byte array; <c>a{..}</c> a dictionary; other arrays and structures object arrays.
/// </summary>
internal ref struct DBusReader
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> bytes;
    private readonly bool bigEndian;
    private readonly DBusLimits limits;

    /// <param name="bytes">Begins on a boundary of eight bytes of the message.</param>
    /// <param name="bigEndian">The byte order.</param>
    /// <param name="limits">What must not be exceeded.</param>
    public DBusReader(ReadOnlySpan<byte> bytes, bool bigEndian, DBusLimits limits)
    {
        this.bytes = bytes;
        this.bigEndian = bigEndian;
        this.limits = limits;
    }

    /// <summary>Bytes read so far.</summary>
    public int Position { get; private set; }

    /// <summary>Reads one value.</summary>
    /// <exception cref="DBusFormatException">The bytes are no value of this type, or a bound is exceeded.</exception>
    public object Read(DBusType type, int depth = 0)
    {
        if (depth > limits.MaxDepth)
        {
            throw new DBusFormatException($"Values nested deeper than {limits.MaxDepth} are not read.");
        }
        Align(type.Alignment);
        return type.Code switch
        {
            'y' => Take(1)[0],
            'b' => ReadFlag(),
            'n' => (short)Number(2),
            'q' => (ushort)Number(2),
            'i' => (int)Number(4),
            'u' => (uint)Number(4),
            'x' => (long)Number(8),
            't' => Number(8),
            'd' => BitConverter.UInt64BitsToDouble(Number(8)),
            's' => ReadText(4),
            'o' => ReadPath(),
            'g' => ReadSignature(),
            DBusType.Variant => ReadVariant(depth),
            DBusType.Array => ReadArray(type.Parts[0], depth),
            _ => ReadStructure(type, depth),
        };
    }

    /// <summary>Leaves out so many bytes.</summary>
    public void Skip(int count) => Take(count);

    /// <summary>Skips to the next boundary; what is skipped must be zero bytes.</summary>
    public void Align(int boundary)
    {
        if (Take(-Position & (boundary - 1)).ContainsAnyExcept((byte)0))
        {
            throw new DBusFormatException("The filling between two values is not zero.");
        }
    }

    private bool ReadFlag() =>
        Number(4) switch
        {
            0 => false,
            1 => true,
            var other => throw new DBusFormatException($"A boolean is {other}."),
        };

    private string ReadText(int lengthBytes)
    {
        var length = Number(lengthBytes);
        if (length >= (ulong)bytes.Length)
        {
            throw new DBusFormatException($"A text of {length} bytes is longer than its message.");
        }
        var text = Take((int)length);
        if (Take(1)[0] != 0 || text.Contains((byte)0))
        {
            throw new DBusFormatException("A text does not end with the only byte 0 in it.");
        }
        try
        {
            return StrictUtf8.GetString(text);
        }
        catch (DecoderFallbackException)
        {
            throw new DBusFormatException("A text is not UTF-8.");
        }
    }

    private string ReadPath()
    {
        var path = ReadText(4);
        return DBusNames.IsPath(path) ? path : throw new DBusFormatException("An object path is none.");
    }

    private string ReadSignature()
    {
        var signature = ReadText(1);
        DBusType.ParseAll(signature);
        return signature;
    }

    private DBusVariant ReadVariant(int depth)
    {
        var signature = ReadText(1);
        return new(signature, Read(DBusType.ParseOne(signature), depth + 1));
    }

    private object[] ReadStructure(DBusType type, int depth)
    {
        var fields = new object[type.Parts.Length];
        for (var index = 0; index < fields.Length; index++)
        {
            fields[index] = Read(type.Parts[index], depth + 1);
        }
        return fields;
    }

    private object ReadArray(DBusType element, int depth)
    {
        var length = Number(4);
        if (length > (ulong)limits.MaxArray)
        {
            throw new DBusFormatException($"An array of {length} bytes is over the limit of {limits.MaxArray}.");
        }
        Align(element.Alignment);
        var end = Position + (int)length;
        if (element.Code == 'y')
        {
            return Take((int)length).ToArray();
        }
        object array =
            element.Code == DBusType.Entry ? ReadEntries(element, end, depth) : ReadItems(element, end, depth);
        return Position == end
            ? array
            : throw new DBusFormatException("An array's last element is longer than the array.");
    }

    private object[] ReadItems(DBusType element, int end, int depth)
    {
        var items = new List<object>();
        while (Position < end)
        {
            items.Add(Read(element, depth + 1));
        }
        return [.. items];
    }

    private Dictionary<object, object> ReadEntries(DBusType element, int end, int depth)
    {
        var entries = new Dictionary<object, object>();
        while (Position < end)
        {
            var entry = (object[])Read(element, depth + 1);
            if (!entries.TryAdd(entry[0], entry[1]))
            {
                throw new DBusFormatException("A dictionary holds a key twice.");
            }
        }
        return entries;
    }

    private ulong Number(int size)
    {
        var raw = Take(size);
        return (size, bigEndian) switch
        {
            (1, _) => raw[0],
            (2, true) => BinaryPrimitives.ReadUInt16BigEndian(raw),
            (2, false) => BinaryPrimitives.ReadUInt16LittleEndian(raw),
            (4, true) => BinaryPrimitives.ReadUInt32BigEndian(raw),
            (4, false) => BinaryPrimitives.ReadUInt32LittleEndian(raw),
            (_, true) => BinaryPrimitives.ReadUInt64BigEndian(raw),
            (_, false) => BinaryPrimitives.ReadUInt64LittleEndian(raw),
        };
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > bytes.Length - Position)
        {
            throw new DBusFormatException("A value goes on behind the end of its message.");
        }
        Position += count;
        return bytes.Slice(Position - count, count);
    }
}
