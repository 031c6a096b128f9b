using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Tests.Running;

/// <summary>Deployments whose modules are shell scripts.</summary>
internal static class ShellModules
{
    /// <summary>The object under <c>modulesContent</c>: each script a module that is always started again.</summary>
    public static JsonObject Content(params IEnumerable<(string Name, string Script)> modules) =>
        new()
        {
            ["$edgeAgent"] = new JsonObject
            {
                ["properties.desired"] = new JsonObject
                {
                    ["schemaVersion"] = "1.1",
                    ["modules"] = new JsonObject(
                        modules.Select(module =>
                            KeyValuePair.Create<string, JsonNode?>(module.Name, Module(module.Script))
                        )
                    ),
                },
            },
        };

    /// <summary>Options of the dev hub that run a shell for each of these modules.</summary>
    public static IEnumerable<string> Programs(params IEnumerable<string> names) =>
        names.SelectMany(name => new[] { "--program", name + "=/bin/sh" });

    private static JsonObject Module(string script) =>
        new()
        {
            ["type"] = "docker",
            ["status"] = "running",
            ["restartPolicy"] = "always",
            ["settings"] = new JsonObject
            {
                ["image"] = "contoso/a:1",
                ["createOptions"] = new JsonObject { ["Cmd"] = new JsonArray("-c", script) }.ToJsonString(),
            },
        };
}
