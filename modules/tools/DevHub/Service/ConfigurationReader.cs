using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Configurations;
using EdgeDm.DevHub.Queries;

namespace EdgeDm.DevHub.Service;

/// <summary>Reads what a service says of a configuration.</summary>
/// <param name="id">The address.</param>
/// <param name="body">What it says.</param>
/// <param name="limits">How large it may be.</param>
/// <param name="now">When.</param>
internal sealed class ConfigurationReader(string id, JsonObject body, ConfigurationLimits limits, DateTimeOffset now)
{
    private const int LongestId = 128;
    private const string OtherIdCharacters = "-+%_*!'";
    private const string NoContent = "{}";

    /// <summary>A new configuration.</summary>
    /// <exception cref="HubException">It is wrong.</exception>
    /// <exception cref="JsonException">A part is of another type.</exception>
    public HubConfiguration Make()
    {
        CheckId();
        var content = Json.ObjectAt(body, "content") ?? throw Invalid("'content' is missing.");
        if (content.ToJsonString().Length > limits.LongestContent)
        {
            throw new HubException(
                HubError.InvalidConfigurationContent,
                $"The content has more than {limits.LongestContent} characters."
            );
        }
        var none = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
        var read = JsonElement.Parse(content.ToJsonString());
        var empty = new HubConfiguration(id, "1.0", none, read, "", 0, none, now, now);
        return Read(empty, ConfigurationContent.Parse(content).Kind);
    }

    /// <summary>A known configuration as it is to be. Its content stays what it was: a change is refused.</summary>
    /// <exception cref="HubException">It is wrong.</exception>
    /// <exception cref="JsonException">A part is of another type.</exception>
    public HubConfiguration Change(HubConfiguration known)
    {
        CheckId();
        var content = JsonObject.Create(known.Content)!;
        if (
            Json.ObjectAt(body, "content") is { } given
            && given.ToJsonString() != NoContent
            && !JsonNode.DeepEquals(given, content)
        )
        {
            throw new HubException(
                HubError.CannotModifyImmutableConfigurationContent,
                $"The content of '{id}' cannot be changed: make another configuration of higher priority."
            );
        }
        return Read(known, ConfigurationContent.Parse(content).Kind) with { Updated = now };
    }

    /// <summary>What is wrong with a condition; null = nothing.</summary>
    public static string? ErrorOfCondition(string condition) => ErrorOf(() => QueryParser.ParseCondition(condition));

    /// <summary>What is wrong with a metric's query; null = nothing.</summary>
    public static string? ErrorOfMetric(string query) => ErrorOf(() => QueryParser.Parse(query));

    private HubConfiguration Read(HubConfiguration known, ContentKind kind)
    {
        var condition = Json.TextAt(body, "targetCondition") ?? known.TargetCondition;
        CheckCondition(condition, kind);
        var metrics = Json.ObjectAt(body, "metrics") is { } given
            ? Texts(Json.ObjectAt(given, "queries"))
            : known.MetricQueries;
        foreach (var (name, query) in metrics)
        {
            if (ErrorOfMetric(query) is { } wrong)
            {
                throw new HubException(HubError.InvalidConfigurationCustomMetricsQuery, $"Metric '{name}': {wrong}");
            }
        }
        var priority = Json.IntegerAt(body, "priority", known.Priority);
        return known with
        {
            SchemaVersion = Json.TextAt(body, "schemaVersion") ?? known.SchemaVersion,
            Labels = body.ContainsKey("labels") ? Texts(Json.ObjectAt(body, "labels")) : known.Labels,
            TargetCondition = condition,
            Priority = priority >= 0 ? priority : throw Invalid("'priority' must be 0 or more."),
            MetricQueries = metrics,
        };
    }

    private void CheckId()
    {
        if (
            id.Length > LongestId
            || !id.All(c =>
                char.IsAsciiLetterLower(c)
                || char.IsAsciiDigit(c)
                || OtherIdCharacters.Contains(c, StringComparison.Ordinal)
            )
        )
        {
            throw Invalid(
                $"'{id}' is no valid id: at most {LongestId} lower-case letters, digits and the characters {OtherIdCharacters} are."
            );
        }
        if (Json.TextAt(body, "id") is { } named && named != id)
        {
            throw Invalid($"'id' is '{named}', and the address says '{id}'.");
        }
    }

    private static void CheckCondition(string condition, ContentKind kind)
    {
        if (condition.Length == 0)
        {
            return;
        }
        if (ErrorOfCondition(condition) is { } wrong)
        {
            throw new HubException(HubError.InvalidConfigurationTargetCondition, $"targetCondition: {wrong}");
        }
        var wanted = kind == ContentKind.Module ? QuerySource.Modules : QuerySource.Devices;
        if (QueryParser.ParseCondition(condition).Source != wanted)
        {
            throw new HubException(
                HubError.InvalidConfigurationTargetCondition,
                wanted == QuerySource.Modules
                    ? "The targetCondition of moduleContent must begin with FROM devices.modules."
                    : "The targetCondition of this content is about devices."
            );
        }
    }

    private static ImmutableSortedDictionary<string, string> Texts(JsonObject? members) =>
        (members ?? []).ToImmutableSortedDictionary(
            member => member.Key,
            member => Json.TextAt(members!, member.Key) ?? "",
            StringComparer.Ordinal
        );

    private static string? ErrorOf(Func<Query> parse)
    {
        try
        {
            parse();
            return null;
        }
        catch (QueryException error)
        {
            return error.Message;
        }
    }

    private static HubException Invalid(string what) => new(HubError.ArgumentInvalid, what);
}
