using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>Shows a twin, or a part of it.</summary>
internal static class TwinShowHandler
{
    public static async Task<int> RunAsync(
        TwinShowOptions options,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var twin = await target.GetTwinAsync(cancellationToken);
        var shown = twin["properties"] as JsonObject ?? [];
        if (!options.Metadata)
        {
            foreach (var part in shown.Select(member => member.Value).OfType<JsonObject>())
            {
                part.Remove("$metadata");
            }
        }
        context.Terminal.WriteJson(options.Path is { } path ? Find(shown, path) : shown);
        return ExitCodes.Done;
    }

    private static JsonNode? Find(JsonNode root, string path)
    {
        JsonNode? node = root;
        foreach (var name in path.Split('.'))
        {
            node =
                node is JsonObject parent && parent.TryGetPropertyValue(name, out var child)
                    ? child
                    : throw new CliException(ExitCodes.Failed, $"The twin has no '{path}'.");
        }
        return node;
    }
}

/// <summary>What was asked for.</summary>
/// <param name="Path">Names parted by dots; null = everything.</param>
/// <param name="Metadata">With <c>$metadata</c>.</param>
internal sealed record TwinShowOptions(string? Path, bool Metadata);
