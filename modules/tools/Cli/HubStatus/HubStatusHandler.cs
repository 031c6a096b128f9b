using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>Asks the hub about itself and the gateway.</summary>
internal static class HubStatusHandler
{
    private const string Unknown = "-";

    public static async Task<int> RunAsync(HubTarget target, CliContext context, CancellationToken cancellationToken)
    {
        var devHub = await target.Client.FindDevHubAsync(cancellationToken);
        var modules = await target.Client.ListModulesAsync(target.Device, cancellationToken);
        context.Terminal.Result(
            () =>
                new JsonObject
                {
                    ["device"] = target.Device,
                    ["isDevHub"] = devHub is not null,
                    ["modules"] = new JsonArray([.. modules.Select(WithoutKeys)]),
                    ["devHub"] = devHub?.DeepClone(),
                },
            words => Tell(words, target.Device, modules, devHub)
        );
        return ExitCodes.Done;
    }

    private static void Tell(Terminal terminal, string device, JsonArray modules, JsonObject? devHub)
    {
        terminal.Say($"{(devHub is null ? "IoT Hub" : "Dev hub")}, gateway '{device}'");
        foreach (var fault in devHub?["faults"] as JsonArray ?? [])
        {
            terminal.Say($"On purpose: fault {FaultText.Of(fault!)}");
        }
        var launched = (devHub?["modules"] as JsonArray ?? [])
            .OfType<JsonObject>()
            .ToLookup(module => Text(module, "moduleId"), StringComparer.Ordinal);
        TextTable.Write(
            terminal,
            ["MODULE", "CONNECTION", "RUNTIME", "RESTARTS", "RUNS AS"],
            modules
                .OfType<JsonObject>()
                .Select(module =>
                {
                    var id = Text(module, "moduleId");
                    var state = launched[id].FirstOrDefault();
                    return new[]
                    {
                        id,
                        Text(module, "connectionState"),
                        state is null ? Unknown : Text(state, "runtimeStatus"),
                        state is null ? Unknown : Text(state, "restartCount"),
                        state is null ? Unknown : Text(state, state["container"] is null ? "processId" : "container"),
                    };
                })
        );
    }

    private static JsonNode? WithoutKeys(JsonNode? module)
    {
        var copy = module?.DeepClone();
        (copy as JsonObject)?.Remove("authentication");
        return copy;
    }

    private static string Text(JsonObject node, string name) => node[name]?.ToString() ?? Unknown;
}
