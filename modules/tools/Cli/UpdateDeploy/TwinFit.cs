using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>Whether a group fits a twin; told before the hub refuses it with fewer words. Source: IoT Hub, device twins, limits.</summary>
internal static class TwinFit
{
    /// <summary>Most UTF-8 bytes of one string.</summary>
    public const int MaxStringBytes = 4096;

    /// <summary>Most bytes of all desired properties.</summary>
    public const int MaxDesiredBytes = 32 * 1024;

    private const int NumberBytes = 8;
    private const int BooleanBytes = 4;

    public static void Require(JsonObject group)
    {
        var size = SizeOf(group, "firmwareUpdate");
        if (size > MaxDesiredBytes)
        {
            throw Wrong(
                $"The deployment has {size} bytes; all desired properties of a twin may have {MaxDesiredBytes}."
            );
        }
    }

    private static int SizeOf(JsonNode? node, string path)
    {
        if (node is JsonObject parent)
        {
            return parent.Sum(member =>
                Encoding.UTF8.GetByteCount(member.Key) + SizeOf(member.Value, $"{path}.{member.Key}")
            );
        }
        if (node is not JsonValue value || value.GetValueKind() != JsonValueKind.String)
        {
            return node?.GetValueKind() == JsonValueKind.Number ? NumberBytes : BooleanBytes;
        }
        var bytes = Encoding.UTF8.GetByteCount(value.GetValue<string>());
        return bytes <= MaxStringBytes
            ? bytes
            : throw Wrong($"{path} has {bytes} bytes; a string in a twin may have {MaxStringBytes}.");
    }

    private static CliException Wrong(string what) =>
        new(
            ExitCodes.Failed,
            $"{what} Deploy it as one bundle: 'edgedm update create --bundle', then 'edgedm update deploy <bundle>'."
        );
}
