using System.Collections.Immutable;

namespace EdgeDm.HostAccess.Hosts.Linux.DBus;

/// <summary>One complete type of a signature (D-Bus Specification, "Type System"). File descriptors (<c>h</c>) are refused.</summary>
internal sealed class DBusType
{
    /// <summary>Longest signature; its length is one byte on the wire.</summary>
    public const int LongestSignature = 255;

    /// <summary>Arrays within arrays, and structures within structures, that a signature may have.</summary>
    public const int DeepestSignature = 32;

    public const char Array = 'a';
    public const char Structure = '(';
    public const char Entry = '{';
    public const char Variant = 'v';

    private const string Basic = "ybnqiuxtdsog";

    private DBusType(char code, string signature, ImmutableArray<DBusType> parts)
    {
        Code = code;
        Signature = signature;
        Parts = parts;
    }

    /// <summary>The type's letter; <see cref="Structure"/> and <see cref="Entry"/> for what is in brackets.</summary>
    public char Code { get; }

    /// <summary>The type as text.</summary>
    public string Signature { get; }

    /// <summary>An array's element, a structure's fields, an entry's key and value; empty for others.</summary>
    public ImmutableArray<DBusType> Parts { get; }

    /// <summary>The boundary on which a value begins, in bytes.</summary>
    public int Alignment =>
        Code switch
        {
            'y' or 'g' or Variant => 1,
            'n' or 'q' => 2,
            'x' or 't' or 'd' or Structure or Entry => 8,
            _ => 4,
        };

    /// <summary>The types of a body.</summary>
    /// <exception cref="DBusFormatException">It is no signature.</exception>
    public static ImmutableArray<DBusType> ParseAll(string signature)
    {
        if (signature.Length > LongestSignature)
        {
            throw new DBusFormatException(
                $"A signature of {signature.Length} characters is over the limit of {LongestSignature}."
            );
        }
        var types = ImmutableArray.CreateBuilder<DBusType>();
        for (var position = 0; position < signature.Length; )
        {
            types.Add(Parse(signature, ref position, arrays: 0, structures: 0));
        }
        return types.ToImmutable();
    }

    /// <summary>The one type of a variant.</summary>
    /// <exception cref="DBusFormatException">It is no signature, or not of exactly one type.</exception>
    public static DBusType ParseOne(string signature) =>
        ParseAll(signature) is [var type]
            ? type
            : throw new DBusFormatException($"A variant's signature '{signature}' is not exactly one type.");

    private static DBusType Parse(string signature, ref int position, int arrays, int structures)
    {
        var start = position;
        var code = position < signature.Length ? signature[position++] : throw Wrong(signature, "ends too early");
        if (Basic.Contains(code, StringComparison.Ordinal) || code == Variant)
        {
            return new(code, code.ToString(), []);
        }
        if (code == Array ? arrays >= DeepestSignature : structures >= DeepestSignature)
        {
            throw Wrong(signature, $"is nested deeper than {DeepestSignature}");
        }
        ImmutableArray<DBusType> parts = code switch
        {
            Array when position < signature.Length && signature[position] == Entry =>
            [
                ParseEntry(signature, ref position, arrays + 1, structures),
            ],
            Array => [Parse(signature, ref position, arrays + 1, structures)],
            Structure => ParseFields(signature, ref position, arrays, structures + 1),
            'h' => throw Wrong(signature, "holds a file descriptor, which this client does not take"),
            _ => throw Wrong(signature, $"has '{code}' where a type begins"),
        };
        return new(code, signature[start..position], parts);
    }

    private static ImmutableArray<DBusType> ParseFields(string signature, ref int position, int arrays, int structures)
    {
        var fields = ImmutableArray.CreateBuilder<DBusType>();
        while (position < signature.Length && signature[position] != ')')
        {
            fields.Add(Parse(signature, ref position, arrays, structures));
        }
        Close(signature, ref position, ')');
        return fields.Count > 0 ? fields.ToImmutable() : throw Wrong(signature, "has an empty structure");
    }

    private static DBusType ParseEntry(string signature, ref int position, int arrays, int structures)
    {
        var start = position++;
        var key = Parse(signature, ref position, arrays, structures + 1);
        if (!Basic.Contains(key.Code, StringComparison.Ordinal))
        {
            throw Wrong(signature, "has a dictionary whose key is no basic type");
        }
        var value = Parse(signature, ref position, arrays, structures + 1);
        Close(signature, ref position, '}');
        return new(Entry, signature[start..position], [key, value]);
    }

    private static void Close(string signature, ref int position, char bracket)
    {
        if (position >= signature.Length || signature[position++] != bracket)
        {
            throw Wrong(signature, $"lacks a '{bracket}'");
        }
    }

    private static DBusFormatException Wrong(string signature, string what) =>
        new($"The signature '{signature}' {what}.");
}
