using System.Collections;
using System.Globalization;
using System.Text;
using EdgeDm.HostAccess.Hosts.Linux.DBus;

namespace EdgeDm.HostAccess.Tests.Hosts.Linux.DBus;

/// <summary>Messages with a body of any types.</summary>
internal sealed class RandomValues(Random random)
{
    private const string Basic = "ybnqiuxtdsog";
    private const int Deepest = 4;

    public DBusMessage Message()
    {
        var parts = Enumerable.Range(0, random.Next(4)).Select(_ => Signature(0)).ToList();
        return new(DBusMessageKind.Call)
        {
            Serial = (uint)random.Next(1, int.MaxValue),
            NoReply = random.Next(2) == 0,
            Path = Path(),
            Interface = random.Next(2) == 0 ? "a.b" : null,
            Member = "Member",
            Destination = random.Next(2) == 0 ? ":1.5" : null,
            Signature = string.Concat(parts),
            Body = [.. parts.Select(part => Value(DBusType.ParseOne(part)))],
        };
    }

    /// <summary>Values as text, so that they can be compared in depth.</summary>
    public static string Show(object value) =>
        value switch
        {
            string text => $"\"{text}\"",
            double number => BitConverter.DoubleToInt64Bits(number).ToString(CultureInfo.InvariantCulture) + "d",
            DBusVariant variant => $"<{variant.Signature} {Show(variant.Value)}>",
            Dictionary<object, object> entries => "{" + string.Join(',', Pairs(entries)) + "}",
            IEnumerable items => "[" + string.Join(',', items.Cast<object>().Select(Show)) + "]",
            _ => $"{value.GetType().Name} {value}",
        };

    private static IEnumerable<string> Pairs(Dictionary<object, object> entries) =>
        entries.Select(entry => $"{Show(entry.Key)}:{Show(entry.Value)}");

    private string Signature(int depth) =>
        (depth < Deepest ? random.Next(5) : 4) switch
        {
            0 => "a" + Signature(depth + 1),
            1 => "a{" + Basic[random.Next(Basic.Length)] + Signature(depth + 1) + "}",
            2 => "(" + string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(_ => Signature(depth + 1))) + ")",
            3 => "v",
            _ => Basic[random.Next(Basic.Length)].ToString(),
        };

    private object Value(DBusType type) =>
        type.Code switch
        {
            'y' => (byte)random.Next(256),
            'b' => random.Next(2) == 0,
            'n' => (short)random.Next(),
            'q' => (ushort)random.Next(),
            'i' => random.Next(int.MinValue, int.MaxValue),
            'u' => (uint)random.NextInt64(),
            'x' => random.NextInt64(long.MinValue, long.MaxValue),
            't' => (ulong)random.NextInt64(long.MinValue, long.MaxValue),
            'd' => random.NextDouble() * 1e9,
            's' => Text(),
            'o' => Path(),
            'g' => Signature(3),
            'v' => Variant(),
            '(' => type.Parts.Select(Value).ToArray(),
            _ => Array(type.Parts[0]),
        };

    private DBusVariant Variant()
    {
        var signature = Signature(3);
        return new(signature, Value(DBusType.ParseOne(signature)));
    }

    private object Array(DBusType element)
    {
        var count = random.Next(4);
        if (element.Code == 'y')
        {
            var bytes = new byte[count];
            random.NextBytes(bytes);
            return bytes;
        }
        if (element.Code != '{')
        {
            return Enumerable.Range(0, count).Select(_ => Value(element)).ToArray();
        }
        var entries = new Dictionary<object, object>();
        for (; count > 0; count--)
        {
            entries[Value(element.Parts[0])] = Value(element.Parts[1]);
        }
        return entries;
    }

    private string Path() => random.Next(3) == 0 ? "/" : $"/p{random.Next(100)}/_";

    private string Text()
    {
        var text = new StringBuilder();
        for (var count = random.Next(6); count > 0; count--)
        {
            text.Append(new Rune(random.Next(1, 0xD800)));
        }
        return text.ToString();
    }
}
