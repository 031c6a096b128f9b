using System.Buffers.Binary;
using System.Collections;
using System.Text;

namespace EdgeDm.HostAccess.Hosts.Linux.DBus;

/// <summary>
/// Values to bytes, led by a signature. The .NET types are those that <see cref="DBusReader"/> gives; any sequence stands for an array, too.
/// </summary>
/// <param name="limits">What must not be exceeded.</param>
/// <param name="bigEndian">The byte order.</param>
internal sealed class DBusWriter(DBusLimits limits, bool bigEndian = false)
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private byte[] buffer = new byte[256];

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>What was written.</summary>
    public byte[] ToArray() => buffer[..Length];

    /// <summary>Writes one value.</summary>
    /// <exception cref="ArgumentException">The value is not what the type says.</exception>
    /// <exception cref="DBusFormatException">A bound would be exceeded.</exception>
    public void Write(DBusType type, object value, int depth = 0)
    {
        if (depth > limits.MaxDepth)
        {
            throw new DBusFormatException($"Values nested deeper than {limits.MaxDepth} are not sent.");
        }
        Align(type.Alignment);
        switch (type.Code, value)
        {
            case ('y', byte number):
                Take(1)[0] = number;
                break;
            case ('b', bool flag):
                Put(flag ? 1u : 0u, 4);
                break;
            case ('n', short number):
                Put((ushort)number, 2);
                break;
            case ('q', ushort number):
                Put(number, 2);
                break;
            case ('i', int number):
                Put((uint)number, 4);
                break;
            case ('u', uint number):
                Put(number, 4);
                break;
            case ('x', long number):
                Put((ulong)number, 8);
                break;
            case ('t', ulong number):
                Put(number, 8);
                break;
            case ('d', double number):
                Put(BitConverter.DoubleToUInt64Bits(number), 8);
                break;
            case ('s', string text):
                WriteText(text, 4);
                break;
            case ('o', string path) when DBusNames.IsPath(path):
                WriteText(path, 4);
                break;
            case ('g', string signature):
                DBusType.ParseAll(signature);
                WriteText(signature, 1);
                break;
            case (DBusType.Variant, DBusVariant variant):
                WriteText(variant.Signature, 1);
                Write(DBusType.ParseOne(variant.Signature), variant.Value, depth + 1);
                break;
            case (DBusType.Structure, object[] fields) when fields.Length == type.Parts.Length:
                WriteEach(type, fields, depth);
                break;
            case (DBusType.Entry, KeyValuePair<object, object> entry):
                WriteEach(type, [entry.Key, entry.Value], depth);
                break;
            case (DBusType.Array, IEnumerable items and not string):
                WriteArray(type.Parts[0], items, depth);
                break;
            default:
                throw new ArgumentException($"A {value.GetType().Name} is no value of the type '{type.Signature}'.");
        }
    }

    /// <summary>Fills with zero bytes up to the next boundary.</summary>
    public void Align(int boundary) => Take(-Length & (boundary - 1)).Clear();

    private void WriteEach(DBusType type, object[] values, int depth)
    {
        for (var index = 0; index < values.Length; index++)
        {
            Write(type.Parts[index], values[index], depth + 1);
        }
    }

    private void WriteArray(DBusType element, IEnumerable items, int depth)
    {
        Put(0u, 4);
        var lengthAt = Length - 4;
        Align(element.Alignment);
        var start = Length;
        if (element.Code == 'y' && items is byte[] bytes)
        {
            bytes.CopyTo(Take(bytes.Length));
        }
        else
        {
            foreach (var item in items)
            {
                Write(element, item, depth + 1);
            }
        }
        var length = Length - start;
        if (length > limits.MaxArray)
        {
            throw new DBusFormatException($"An array of {length} bytes is over the limit of {limits.MaxArray}.");
        }
        Put(buffer.AsSpan(lengthAt, 4), (uint)length);
    }

    private void WriteText(string text, int lengthBytes)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException("A text must not hold the character 0.");
        }
        var size = StrictUtf8.GetByteCount(text);
        Put((ulong)size, lengthBytes);
        StrictUtf8.GetBytes(text, Take(size));
        Take(1)[0] = 0;
    }

    private void Put(ulong number, int bytes) => Put(Take(bytes), number);

    private void Put(Span<byte> where, ulong number)
    {
        Span<byte> all = stackalloc byte[8];
        if (bigEndian)
        {
            BinaryPrimitives.WriteUInt64BigEndian(all, number);
            all[^where.Length..].CopyTo(where);
        }
        else
        {
            BinaryPrimitives.WriteUInt64LittleEndian(all, number);
            all[..where.Length].CopyTo(where);
        }
    }

    private Span<byte> Take(int bytes)
    {
        if (Length + bytes > limits.MaxMessage)
        {
            throw new DBusFormatException($"A message of over {limits.MaxMessage} bytes is not sent.");
        }
        if (Length + bytes > buffer.Length)
        {
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, Length + bytes));
        }
        Length += bytes;
        return buffer.AsSpan(Length - bytes, bytes);
    }
}
