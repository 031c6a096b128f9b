using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Deployment;

/// <summary>
/// Reads <c>createOptions</c>: an object (templates), a string, or a string in chunks <c>createOptions</c>,
/// <c>createOptions01</c> ...; and leaves chunks in its place, as a hub keeps them.
/// </summary>
internal static class CreateOptionsReader
{
    /// <summary>Characters of a chunk, as edgeAgent and iotedgedev write them.</summary>
    public const int ChunkLength = 512;

    private const string Name = "createOptions";
    private const int MostChunks = 100;

    public static CreateOptions Read(LocatedJson json, JsonObject settings, string moduleId)
    {
        var document = Document(json, settings);
        try
        {
            var host = document["HostConfig"] as JsonObject;
            var options = new CreateOptions(
                [.. Binds(host), .. Mounts(host)],
                Environment(document),
                Texts(document, "Labels"),
                List(document, "Cmd"),
                document
            );
            WriteChunks(settings, document);
            return options;
        }
        catch (FormatException error)
        {
            throw json.Error(settings, Name, $"The createOptions of {moduleId}: {error.Message}");
        }
    }

    private static JsonObject Document(LocatedJson json, JsonObject settings)
    {
        if (settings[Name] is JsonObject given)
        {
            return (JsonObject)given.DeepClone();
        }
        var text = Joined(json, settings);
        if (string.IsNullOrWhiteSpace(text) || text == "null")
        {
            return [];
        }
        try
        {
            return JsonNode.Parse(text) as JsonObject
                ?? throw json.Error(settings, Name, "The text of createOptions must be a JSON object.");
        }
        catch (JsonException error)
        {
            throw json.Error(settings, Name, $"The text of createOptions is no well-formed JSON: {error.Message}");
        }
    }

    private static string Joined(LocatedJson json, JsonObject settings)
    {
        var result = new StringBuilder();
        for (var chunk = 0; chunk < MostChunks && settings.ContainsKey(ChunkName(chunk)); chunk++)
        {
            var node = settings[ChunkName(chunk)];
            result.Append(
                node is null ? ""
                : node is JsonValue value && value.TryGetValue<string>(out var text) ? text
                : throw json.Error(settings, ChunkName(chunk), $"'{ChunkName(chunk)}' must be a string, or an object.")
            );
        }
        return result.ToString();
    }

    private static void WriteChunks(JsonObject settings, JsonObject document)
    {
        foreach (var name in Enumerable.Range(0, MostChunks).Select(ChunkName))
        {
            settings.Remove(name);
        }
        var text = document.ToJsonString();
        for (var chunk = 0; chunk * ChunkLength < text.Length; chunk++)
        {
            var start = chunk * ChunkLength;
            settings[ChunkName(chunk)] = text.Substring(start, Math.Min(ChunkLength, text.Length - start));
        }
    }

    private static string ChunkName(int chunk) =>
        chunk == 0 ? Name : Name + chunk.ToString("00", CultureInfo.InvariantCulture);

    private static IEnumerable<ContainerMount> Binds(JsonObject? host)
    {
        foreach (var bind in host is null ? [] : List(host, "Binds"))
        {
            var parts = bind.Split(':');
            yield return parts.Length is 2 or 3 && parts[0].Length > 0
                ? Mount(parts[0], parts[1])
                : throw new FormatException(
                    $"the bind '{bind}' must be 'source:/target' or 'source:/target:ro', the source a folder of the host or the name of a volume."
                );
        }
    }

    private static IEnumerable<ContainerMount> Mounts(JsonObject? host)
    {
        if (host?["Mounts"] is null)
        {
            yield break;
        }
        var mounts = host["Mounts"] as JsonArray ?? throw new FormatException("'Mounts' must be a list.");
        foreach (var node in mounts)
        {
            // A tmpfs has no source: a process has the host's /tmp.
            if (node is JsonObject mount && mount["Source"]?.ToString() is { Length: > 0 } source)
            {
                yield return Mount(source, mount["Target"]?.ToString() ?? "");
            }
        }
    }

    private static ContainerMount Mount(string source, string target) =>
        target.StartsWith('/') && target.Length > 1
            ? new(source, target.TrimEnd('/'))
            : throw new FormatException($"the target '{target}' of '{source}' must be an absolute path, not the root.");

    private static Dictionary<string, string> Environment(JsonObject document)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in List(document, "Env"))
        {
            // Docker: a name alone takes the value of the engine's environment, which a module should not see.
            var equals = entry.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
            {
                result[entry[..equals]] = entry[(equals + 1)..];
            }
        }
        return result;
    }

    private static List<string> List(JsonObject parent, string name)
    {
        if (parent[name] is null)
        {
            return [];
        }
        return parent[name] is JsonArray list && list.All(node => node?.GetValueKind() == JsonValueKind.String)
            ? [.. list.Select(node => node!.GetValue<string>())]
            : throw new FormatException($"'{name}' must be a list of strings.");
    }

    private static Dictionary<string, string> Texts(JsonObject parent, string name)
    {
        if (parent[name] is null)
        {
            return [];
        }
        return parent[name] is JsonObject texts && texts.All(pair => pair.Value?.GetValueKind() == JsonValueKind.String)
            ? texts.ToDictionary(pair => pair.Key, pair => pair.Value!.GetValue<string>(), StringComparer.Ordinal)
            : throw new FormatException($"'{name}' must be an object of strings.");
    }
}
