using System.Text;
using System.Text.Json;

namespace EdgeDm.ModuleHost;

/// <summary>What IoT Hub and edgeHub take in reported properties. A patch that breaks a limit would be refused as a whole.</summary>
public static class ReportLimits
{
    /// <summary>Bytes of a patch (edgeHub) and of the whole reported part (IoT Hub).</summary>
    public const int MaxPatchBytes = 32 * 1024;

    /// <summary>Objects and arrays within one another, counted from a top-level property's value.</summary>
    public const int MaxDepth = 10;

    /// <summary>Bytes of a string value, UTF-8.</summary>
    public const int MaxStringBytes = 4_096;

    /// <summary>Bytes of a name, UTF-8.</summary>
    public const int MaxNameBytes = 1_024;

    /// <summary>Largest whole number; the smallest is its negative.</summary>
    public const long MaxInteger = (1L << 52) - 1;

    /// <summary>Checks a top-level property. A null in an object is allowed: it removes.</summary>
    /// <exception cref="ArgumentException">Names the path and the limit.</exception>
    public static void Check(string name, JsonElement value)
    {
        CheckName(name, name);
        CheckValue(name, value, 1);
    }

    private static void CheckValue(string path, JsonElement value, int depth)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                CheckDepth(path, depth);
                foreach (var property in value.EnumerateObject())
                {
                    var inner = $"{path}.{property.Name}";
                    CheckName(inner, property.Name);
                    CheckValue(inner, property.Value, depth + 1);
                }
                break;
            case JsonValueKind.Array:
                CheckDepth(path, depth);
                foreach (var item in value.EnumerateArray())
                {
                    Require(item.ValueKind != JsonValueKind.Null, path, "is an array with a null in it");
                    CheckValue(path, item, depth + 1);
                }
                break;
            case JsonValueKind.String:
                var bytes = Encoding.UTF8.GetByteCount(value.GetString()!);
                Require(bytes <= MaxStringBytes, path, $"is a string of {bytes} bytes; the limit is {MaxStringBytes}");
                break;
            case JsonValueKind.Number:
                Require(
                    !value.TryGetInt64(out var number) || number is >= -MaxInteger and <= MaxInteger,
                    path,
                    $"is a whole number beyond {MaxInteger}"
                );
                break;
        }
    }

    private static void CheckDepth(string path, int depth) =>
        Require(depth <= MaxDepth, path, $"is nested more than {MaxDepth} levels deep");

    private static void CheckName(string path, string name)
    {
        Require(
            name.Length > 0 && Encoding.UTF8.GetByteCount(name) <= MaxNameBytes,
            path,
            $"has a name that is empty or over {MaxNameBytes} bytes"
        );
        foreach (var character in name)
        {
            Require(
                !char.IsControl(character) && !char.IsWhiteSpace(character) && character is not ('.' or '$' or '#'),
                path,
                "has a name with a space, a control character, '.', '$' or '#'"
            );
        }
    }

    private static void Require(bool holds, string path, string problem)
    {
        if (!holds)
        {
            throw new ArgumentException($"Reported property '{path}' {problem}.");
        }
    }
}
