using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>Merges into desired properties.</summary>
internal static class TwinSetHandler
{
    public static async Task<int> RunAsync(
        TwinSetOptions options,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var patch = options.File is { } file ? await ReadAsync(file, cancellationToken) : [];
        foreach (var value in options.Values)
        {
            Put(patch, value);
        }
        if (patch.Count == 0)
        {
            throw new CliException(ExitCodes.Usage, "Nothing to set: give path=value, or --file.");
        }
        var twin = await target.Client.PatchTwinAsync(
            target.Device,
            target.Module,
            new() { ["properties"] = new JsonObject { ["desired"] = patch } },
            etag: null,
            cancellationToken
        );
        var version = TwinDocument.Of(twin).Desired["$version"]?.DeepClone();
        context.Terminal.Result(
            () => new JsonObject { ["desiredVersion"] = version },
            words => words.Say($"Set; the desired properties are now version {JsonText.Compact(version)}.")
        );
        return ExitCodes.Done;
    }

    private static async Task<JsonObject> ReadAsync(string file, CancellationToken cancellationToken)
    {
        var text = await InputText.ReadAsync(file == "-" ? file : $"@{file}", cancellationToken);
        return JsonText.Parse(text, $"'{file}'") as JsonObject
            ?? throw new CliException(ExitCodes.Usage, $"'{file}' must hold a JSON object.");
    }

    private static void Put(JsonObject patch, string assignment)
    {
        var equals = assignment.IndexOf('=', StringComparison.Ordinal);
        var names = equals > 0 ? assignment[..equals].Split('.') : [];
        if (names.Length == 0 || names.Any(name => name.Length == 0))
        {
            throw new CliException(ExitCodes.Usage, $"'{assignment}' is not path=value.");
        }
        var parent = patch;
        foreach (var name in names[..^1])
        {
            if (parent[name] is not JsonObject child)
            {
                parent[name] = child = [];
            }
            parent = child;
        }
        parent[names[^1]] = Value(assignment[(equals + 1)..]);
    }

    private static JsonNode? Value(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text); // Words need no quotes.
        }
    }
}

/// <summary>What was asked for.</summary>
/// <param name="Values"><c>path=value</c> each.</param>
/// <param name="File">A file to merge first; null = none.</param>
internal sealed record TwinSetOptions(IReadOnlyList<string> Values, string? File);
