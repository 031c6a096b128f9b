using System.Globalization;
using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Deployment;

/// <summary>
/// Reads a <c>deployment.template.json</c> or a manifest made from one. Strict where edgeAgent would refuse the
/// deployment: here the error comes with line and column.
/// </summary>
public static class DeploymentReader
{
    private const string DesiredProperty = "properties.desired";

    /// <summary>Reads.</summary>
    /// <param name="file">The template or manifest.</param>
    /// <param name="variables">Values of its placeholders.</param>
    /// <param name="catalog">Images of its modules.</param>
    /// <exception cref="DeploymentException">It is wrong, or its <c>module.json</c> files are.</exception>
    public static DeploymentManifest Read(string file, TemplateVariables variables, ModuleCatalog catalog) =>
        Read(new(file, File.ReadAllText(file), name => catalog.ImageOf(name) ?? variables.Find(name)));

    /// <summary>The deployment that the desired properties of <c>$edgeAgent</c> are.</summary>
    /// <exception cref="DeploymentException">They are wrong.</exception>
    public static DeploymentManifest OfAgent(JsonObject desired)
    {
        var content = new JsonObject
        {
            ["modulesContent"] = new JsonObject
            {
                ["$edgeAgent"] = new JsonObject { [DesiredProperty] = desired.DeepClone() },
            },
        };
        return Read(new("$edgeAgent", content.ToJsonString(), _ => null));
    }

    private static DeploymentManifest Read(TemplateText text)
    {
        var json = new LocatedJson(text);
        var content =
            (json.Root["modulesContent"] ?? json.Root["content"]?["modulesContent"] ?? json.Root["moduleContent"])
                as JsonObject
            ?? throw json.Error(json.Root, "This has no 'modulesContent' and so is no deployment manifest.");
        var modules = ModulesOf(json, content)
            .OrderBy(module => module.StartupOrder)
            .ThenBy(module => module.Id, StringComparer.Ordinal)
            .ToArray();
        return new(text.File, (JsonObject)content.DeepClone(), modules);
    }

    private static List<ModuleDeployment> ModulesOf(LocatedJson json, JsonObject content)
    {
        var agent = Child(json, content, "$edgeAgent");
        if (
            !agent.ContainsKey(DesiredProperty)
            && agent.Any(property => property.Key.StartsWith(DesiredProperty, StringComparison.Ordinal))
        )
        {
            throw json.Error(
                content,
                "$edgeAgent",
                $"This is a layer: its '$edgeAgent' sets single paths. Start the base deployment, whose '$edgeAgent' has '{DesiredProperty}'."
            );
        }
        var modules = Child(json, Child(json, agent, DesiredProperty), "modules");
        return [.. modules.Select(module => Module(json, modules, module.Key))];
    }

    private static ModuleDeployment Module(LocatedJson json, JsonObject modules, string id)
    {
        var module = Child(json, modules, id);
        var settings = Child(json, module, "settings");
        _ = Choice(json, module, "type", "docker");
        var options = CreateOptionsReader.Read(json, settings, id);
        return new(
            id,
            ImageOf(json, settings),
            Choice(json, module, "status", "running", "stopped") == "running",
            RestartPolicyOf(json, module),
            StartupOrderOf(json, module),
            EnvironmentOf(json, module),
            options
        );
    }

    private static string ImageOf(LocatedJson json, JsonObject settings)
    {
        var image = Text(settings["image"])?.Trim();
        if (string.IsNullOrEmpty(image))
        {
            throw json.Error(settings, "image", "'image' must be the name of an image, for example ${MODULES.Name}.");
        }
        // As edgeAgent: no tag and no digest means latest.
        var name = image[(image.LastIndexOf('/') + 1)..];
        return name.Contains(':', StringComparison.Ordinal) || name.Contains('@', StringComparison.Ordinal)
            ? image
            : image + ":latest";
    }

    private static RestartPolicy RestartPolicyOf(LocatedJson json, JsonObject module) =>
        !module.ContainsKey("restartPolicy")
            ? RestartPolicy.OnUnhealthy
            : Choice(json, module, "restartPolicy", "always", "on-unhealthy", "on-failure", "never") switch
            {
                "always" => RestartPolicy.Always,
                "on-failure" => RestartPolicy.OnFailure,
                "never" => RestartPolicy.Never,
                _ => RestartPolicy.OnUnhealthy,
            };

    private static uint StartupOrderOf(LocatedJson json, JsonObject module)
    {
        const string name = "startupOrder";
        if (module[name] is not { } node)
        {
            return uint.MaxValue;
        }
        return node is JsonValue value && value.TryGetValue<uint>(out var order)
            ? order
            : throw json.Error(module, name, $"'{name}' must be a whole number from 0 to {uint.MaxValue}.");
    }

    private static Dictionary<string, string> EnvironmentOf(LocatedJson json, JsonObject module)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        if (module["env"] is null)
        {
            return result;
        }
        var env = Child(json, module, "env");
        foreach (var (name, node) in env)
        {
            result[name] =
                node is JsonObject entry && Text(entry["value"]) is { } value
                    ? value
                    : throw json.Error(env, name, $"Write the variable as \"{name}\": {{ \"value\": \"...\" }}.");
        }
        return result;
    }

    private static JsonObject Child(LocatedJson json, JsonObject parent, string name) =>
        parent[name] as JsonObject
        ?? throw json.Error(
            parent,
            name,
            parent.ContainsKey(name) ? $"'{name}' must be an object, in braces." : $"'{name}' is missing here; add it."
        );

    private static string Choice(LocatedJson json, JsonObject parent, string name, params string[] choices) =>
        Text(parent[name]) is { } text && choices.Contains(text, StringComparer.OrdinalIgnoreCase)
            ? text.ToLowerInvariant()
            : throw json.Error(
                parent,
                name,
                $"'{name}' must be {string.Join(" or ", choices.Select(choice => $"\"{choice}\""))}."
            );

    // A number or a truth value is taken as its text, as edgeAgent takes it.
    private static string? Text(JsonNode? node) =>
        node is JsonValue value
            ? value.TryGetValue<string>(out var text)
                ? text
                : string.Create(CultureInfo.InvariantCulture, $"{value}")
            : null;
}
