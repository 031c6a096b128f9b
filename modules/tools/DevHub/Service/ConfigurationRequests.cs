using System.Text.Json.Nodes;
using EdgeDm.DevHub.Configurations;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary><c>/configurations...</c>: desired properties for all twins that a condition means.</summary>
internal sealed class ConfigurationRequests(
    HubParts parts,
    ConfigurationEngine engine,
    ConfigurationDocuments documents
)
{
    private const int MostListed = 1000;

    public Task ListAsync(HttpContext context)
    {
        var top = Json.IntegerIn(context.Request.Query, "top", MostListed, least: 1, MostListed);
        return Json.WriteAsync(
            context.Response,
            new JsonArray([.. parts.Configurations.List().Take(top).Select(documents.Of)])
        );
    }

    public Task GetAsync(HttpContext context)
    {
        var id = IdOf(context);
        return AnswerAsync(context, parts.Configurations.Find(id) ?? throw ConfigurationStore.NotFound(id));
    }

    /// <summary>Makes a configuration; changes it where there is If-Match.</summary>
    public async Task PutAsync(HttpContext context)
    {
        var reader = new ConfigurationReader(
            IdOf(context),
            await Json.ReadObjectAsync(context.Request),
            parts.Options.Configurations,
            parts.Time.GetUtcNow()
        );
        HubConfiguration configuration;
        if (Addressee.IfMatch(context.Request) is { } etag)
        {
            configuration = parts.Configurations.Update(IdOf(context), etag, reader.Change);
        }
        else
        {
            configuration = reader.Make();
            parts.Configurations.Add(configuration);
        }
        engine.Wake();
        await AnswerAsync(context, configuration);
    }

    public Task DeleteAsync(HttpContext context)
    {
        parts.Configurations.Delete(IdOf(context), Addressee.IfMatch(context.Request));
        engine.Wake();
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    /// <summary><c>POST /configurations/testQueries</c>: whether a condition and metrics would be taken.</summary>
    public static async Task TestQueriesAsync(HttpContext context)
    {
        var body = await Json.ReadObjectAsync(context.Request);
        var errors = new JsonObject();
        foreach (var (name, query) in Json.ObjectAt(body, "customMetricQueries") ?? [])
        {
            if (ConfigurationReader.ErrorOfMetric(query is JsonValue text ? text.ToString() : "") is { } error)
            {
                errors[name] = error;
            }
        }
        var answer = new JsonObject { ["customMetricQueryErrors"] = errors };
        if (
            Json.TextAt(body, "targetCondition") is { Length: > 0 } condition
            && ConfigurationReader.ErrorOfCondition(condition) is { } wrong
        )
        {
            answer["targetConditionError"] = wrong;
        }
        await Json.WriteAsync(context.Response, answer);
    }

    private Task AnswerAsync(HttpContext context, HubConfiguration configuration)
    {
        context.Response.Headers.ETag = $"\"{configuration.ETag}\"";
        return Json.WriteAsync(context.Response, documents.Of(configuration));
    }

    private static string IdOf(HttpContext context) => (string)context.Request.RouteValues["configuration"]!;
}
