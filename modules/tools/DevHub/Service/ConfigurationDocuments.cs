using System.Collections.Immutable;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Configurations;
using EdgeDm.DevHub.Queries;

namespace EdgeDm.DevHub.Service;

/// <summary>Configurations in the form in which IoT Hub tells them, with their metrics counted now.</summary>
internal sealed class ConfigurationDocuments(QuerySources sources)
{
    /// <summary>A configuration.</summary>
    public JsonObject Of(HubConfiguration configuration)
    {
        var content = JsonObject.Create(configuration.Content)!;
        return new()
        {
            ["id"] = configuration.Id,
            ["schemaVersion"] = configuration.SchemaVersion,
            ["labels"] = Texts(configuration.Labels),
            ["content"] = content.DeepClone(),
            ["targetCondition"] = configuration.TargetCondition,
            ["createdTimeUtc"] = Json.Time(configuration.Created),
            ["lastUpdatedTimeUtc"] = Json.Time(configuration.Updated),
            ["priority"] = configuration.Priority,
            ["systemMetrics"] = Metrics(SystemQueries(configuration.Id, ConfigurationContent.Parse(content).Kind)),
            ["metrics"] = Metrics(configuration.MetricQueries),
            ["etag"] = configuration.ETag,
        };
    }

    // A deployment's state is kept with $edgeAgent, which reports how it went.
    private static ImmutableSortedDictionary<string, string> SystemQueries(string id, ContentKind kind)
    {
        var from = kind switch
        {
            ContentKind.Device => "SELECT deviceId FROM devices WHERE",
            ContentKind.Module => "SELECT deviceId, moduleId FROM devices.modules WHERE",
            _ => "SELECT deviceId FROM devices.modules WHERE moduleId = '$edgeAgent' AND",
        };
        var applied = $"{from} configurations.[[{id}]].status = 'Applied'";
        var queries = ImmutableSortedDictionary
            .Create<string, string>(StringComparer.Ordinal)
            .Add("targetedCount", $"{from} is_defined(configurations.[[{id}]])")
            .Add("appliedCount", applied);
        const string Reported =
            "properties.desired.$version = properties.reported.lastDesiredVersion AND properties.reported.lastDesiredStatus.code";
        return kind == ContentKind.Edge
            ? queries
                .Add("reportedSuccessfulCount", $"{applied} AND {Reported} = 200")
                .Add("reportedFailedCount", $"{applied} AND {Reported} != 200")
            : queries;
    }

    private JsonObject Metrics(ImmutableSortedDictionary<string, string> queries)
    {
        var results = new JsonObject();
        foreach (var (name, text) in queries)
        {
            var query = QueryParser.Parse(text);
            results[name] = QueryRunner
                .Run(query, sources.Rows(query.Source), after: null, int.MaxValue - 1)
                .Rows.Count;
        }
        return new() { ["results"] = results, ["queries"] = Texts(queries) };
    }

    private static JsonObject Texts(ImmutableSortedDictionary<string, string> texts) =>
        new(texts.Select(text => KeyValuePair.Create(text.Key, (JsonNode?)text.Value)));
}
