using System.Globalization;
using System.Text.Json.Nodes;

namespace EdgeDm.Benchmarks.Session;

/// <summary>A gateway's modules, none of which is there to be started, and the routes between them.</summary>
/// <param name="Modules">Their ids.</param>
/// <param name="Routes">By name.</param>
internal sealed record BenchDeployment(IReadOnlyList<string> Modules, IReadOnlyDictionary<string, string> Routes)
{
    /// <summary>The output of a pair's sender.</summary>
    public const string PairOutput = "out";

    /// <summary>The two clients and their feeder: each has a way to the cloud, and the feeder one to each.</summary>
    public static BenchDeployment ForSessions { get; } = MakeForSessions();

    /// <summary>Senders and receivers, one route from each sender to its receiver.</summary>
    public static BenchDeployment ForPairs(int pairs)
    {
        var numbers = Enumerable.Range(0, pairs).ToList();
        return new(
            [.. numbers.Select(Sender), .. numbers.Select(Receiver)],
            numbers.ToDictionary(
                n => $"pair{n}",
                n => $"FROM /messages/modules/{Sender(n)}/outputs/{PairOutput} INTO {InputOf(Receiver(n))}"
            )
        );
    }

    /// <summary>The sender of a pair.</summary>
    public static string Sender(int pair) => string.Create(CultureInfo.InvariantCulture, $"Sender{pair}");

    /// <summary>The receiver of a pair.</summary>
    public static string Receiver(int pair) => string.Create(CultureInfo.InvariantCulture, $"Receiver{pair}");

    /// <summary>As a manifest.</summary>
    public JsonObject ToJson() =>
        new()
        {
            ["modulesContent"] = new JsonObject
            {
                ["$edgeAgent"] = new JsonObject
                {
                    ["properties.desired"] = new JsonObject
                    {
                        ["schemaVersion"] = "1.1",
                        ["modules"] = new JsonObject(
                            Modules.Select(name => KeyValuePair.Create<string, JsonNode?>(name, Module(name)))
                        ),
                    },
                },
                ["$edgeHub"] = new JsonObject
                {
                    ["properties.desired"] = new JsonObject
                    {
                        ["schemaVersion"] = "1.1",
                        ["routes"] = new JsonObject(
                            Routes.Select(r => KeyValuePair.Create<string, JsonNode?>(r.Key, r.Value))
                        ),
                    },
                },
            },
        };

    private static BenchDeployment MakeForSessions()
    {
        string[] modules = [BenchHub.Ours, BenchHub.Peer, BenchHub.Feeder];
        var routes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var module in modules)
        {
            routes[$"to{module}"] = $"FROM /messages/modules/{BenchHub.Feeder}/outputs/{module} INTO {InputOf(module)}";
            routes[$"from{module}"] =
                $"FROM /messages/modules/{module}/outputs/{BenchHub.UpstreamOutput} INTO $upstream";
        }
        return new(modules, routes);
    }

    private static string InputOf(string module) => $"BrokeredEndpoint(\"/modules/{module}/inputs/in\")";

    private static JsonObject Module(string name) =>
        new()
        {
            ["type"] = "docker",
            ["status"] = "running",
            ["settings"] = new JsonObject { ["image"] = $"contoso/{name.ToLowerInvariant()}:1" },
        };
}
