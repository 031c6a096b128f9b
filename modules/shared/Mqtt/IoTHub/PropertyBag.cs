using System.Buffers;
using System.Collections;
using System.Text;

namespace EdgeDm.Mqtt.IoTHub;

/// <summary>
/// A message's properties as they stand at the end of an IoT Hub topic: <c>key=value&amp;key=value</c>, both
/// percent-encoded as RFC 3986 says (a space is <c>%20</c>; <c>+</c> means itself). Keeps the order.
/// </summary>
public sealed class PropertyBag : IEnumerable<KeyValuePair<string, string>>
{
    private readonly List<KeyValuePair<string, string>> entries = [];

    /// <summary>Number of properties.</summary>
    public int Count => entries.Count;

    /// <summary>The property's value, or null when it is not there. Setting null removes it.</summary>
    public string? this[string key]
    {
        get
        {
            foreach (var entry in entries)
            {
                if (entry.Key == key)
                {
                    return entry.Value;
                }
            }
            return null;
        }
        set
        {
            var index = entries.FindIndex(e => e.Key == key);
            if (value is null)
            {
                if (index >= 0)
                {
                    entries.RemoveAt(index);
                }
            }
            else if (index >= 0)
            {
                entries[index] = new(key, value);
            }
            else
            {
                entries.Add(new(key, value));
            }
        }
    }

    /// <summary>
    /// Reads a bag. Lenient, because peers are: a key without <c>=</c> has an empty value, of equal keys the first counts,
    /// empty parts and one trailing slash (the Node SDK's) are skipped, a wrong escape stands for itself.
    /// </summary>
    public static PropertyBag Decode(ReadOnlySpan<char> text)
    {
        var bag = new PropertyBag();
        if (text is [.., '/'])
        {
            text = text[..^1];
        }
        foreach (var range in text.Split('&'))
        {
            var part = text[range];
            if (part.IsEmpty)
            {
                continue;
            }
            var equals = part.IndexOf('=');
            var key = Uri.UnescapeDataString(equals < 0 ? part : part[..equals]);
            if (bag[key] is null)
            {
                bag.entries.Add(new(key, equals < 0 ? "" : Uri.UnescapeDataString(part[(equals + 1)..])));
            }
        }
        return bag;
    }

    /// <summary>The bag as text.</summary>
    public string Encode()
    {
        var buffer = new ArrayBufferWriter<byte>();
        WriteTo(buffer);
        return Encoding.ASCII.GetString(buffer.WrittenSpan);
    }

    /// <summary>Writes the bag as it stands in a topic.</summary>
    public void WriteTo(IBufferWriter<byte> output)
    {
        var first = true;
        foreach (var (key, value) in entries)
        {
            WriteProperty(output, key, value, ref first);
        }
    }

    /// <summary>Writes one property, with <c>&amp;</c> before it unless it is the first. Allocates nothing.</summary>
    public static void WriteProperty(
        IBufferWriter<byte> output,
        ReadOnlySpan<char> key,
        ReadOnlySpan<char> value,
        ref bool first
    )
    {
        if (!first)
        {
            output.Write("&"u8);
        }
        first = false;
        PercentEncoding.Write(output, key);
        output.Write("="u8);
        PercentEncoding.Write(output, value);
    }

    /// <inheritdoc />
    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>For collection expressions.</summary>
    public void Add(string key, string value) => this[key] = value;
}

/// <summary>RFC 3986 percent encoding straight into a buffer: all but letters, digits and <c>-_.~</c>.</summary>
internal static class PercentEncoding
{
    private static readonly SearchValues<char> Unreserved = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
    );

    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<char> text)
    {
        while (!text.IsEmpty)
        {
            var plain = text.IndexOfAnyExcept(Unreserved);
            plain = plain < 0 ? text.Length : plain;
            Encoding.ASCII.GetBytes(text[..plain], output);
            text = text[plain..];
            if (!text.IsEmpty)
            {
                WriteEscaped(output, ref text);
            }
        }
    }

    private static void WriteEscaped(IBufferWriter<byte> output, ref ReadOnlySpan<char> text)
    {
        const string Digits = "0123456789ABCDEF";
        Span<byte> utf8 = stackalloc byte[4];
        _ = Rune.DecodeFromUtf16(text, out var rune, out var consumed);
        text = text[consumed..];
        var count = rune.EncodeToUtf8(utf8);
        var span = output.GetSpan(3 * count);
        for (var index = 0; index < count; index++)
        {
            span[3 * index] = (byte)'%';
            span[(3 * index) + 1] = (byte)Digits[utf8[index] >> 4];
            span[(3 * index) + 2] = (byte)Digits[utf8[index] & 0x0F];
        }
        output.Advance(3 * count);
    }
}
