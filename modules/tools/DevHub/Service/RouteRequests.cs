using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Routing;
using EdgeDm.DevHub.Routing.Conditions;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary>Tries a route; nothing is routed.</summary>
internal static class RouteRequests
{
    /// <summary>
    /// <c>POST /devhub/route</c> with <c>{route, message}</c>, the message as <c>/devhub/upstream</c> tells it, with a
    /// <c>source</c> if its system properties do not say it; or without a message, to check the route's text.
    /// </summary>
    public static async Task TryAsync(HttpContext context)
    {
        var request = await Json.ReadObjectAsync(context.Request);
        var route = Parse(Json.TextAt(request, "route") ?? throw new JsonException("'route' is missing."));
        var answer = new JsonObject
        {
            ["source"] = route.Source.Pattern,
            ["condition"] = route.Condition?.Text,
            ["sink"] = route.Sink.ToString(),
        };
        if (Json.ObjectAt(request, "message") is { } document)
        {
            answer["result"] = Try(route, ReadMessage(document));
        }
        await Json.WriteAsync(context.Response, answer);
    }

    private static ParsedRoute Parse(string text)
    {
        try
        {
            return RouteParser.Parse(text);
        }
        catch (RouteSyntaxException error)
        {
            throw new HubException(HubError.ArgumentInvalid, error.Message);
        }
    }

    private static JsonObject Try(ParsedRoute route, HubMessage message)
    {
        var sourceMatches = route.Source.Matches(message.Source);
        var holds = route.Condition is null ? true : route.Condition.Evaluate(message);
        var values = new JsonObject();
        foreach (var (name, value) in route.Condition?.Explain(message) ?? [])
        {
            values[name] = value;
        }
        return new JsonObject
        {
            ["taken"] = sourceMatches && holds == true,
            ["messageSource"] = message.Source,
            ["sourceMatches"] = sourceMatches,
            ["condition"] = holds switch
            {
                true => "true",
                false => "false",
                null => "undefined",
            },
            ["values"] = values,
        };
    }

    private static HubMessage ReadMessage(JsonObject document)
    {
        var system = Strings(document, "systemProperties");
        return new(
            Json.TextAt(document, "source") ?? SourceOf(system),
            system,
            Strings(document, "properties"),
            ReadBody(document, system[MessageProperties.ContentEncoding])
        );
    }

    private static string SourceOf(MessageBag system) =>
        HubMessage.SourceOf(
            new HubIdentity(
                system[MessageProperties.ConnectionDeviceId] ?? "",
                system[MessageProperties.ConnectionModuleId]
            ),
            system[MessageProperties.OutputName]
        );

    private static byte[] ReadBody(JsonObject document, string? encoding)
    {
        if (document.TryGetPropertyValue("body", out var body))
        {
            return (MessageView.FindEncoding(encoding) ?? Encoding.UTF8).GetBytes(body?.ToJsonString() ?? "null");
        }
        try
        {
            return Convert.FromBase64String(Json.TextAt(document, "bodyBase64") ?? "");
        }
        catch (FormatException error)
        {
            throw new JsonException("'bodyBase64' is no Base64.", error);
        }
    }

    private static MessageBag Strings(JsonObject document, string name)
    {
        var strings = new MessageBag.Builder();
        if (Json.ObjectAt(document, name) is { } properties)
        {
            foreach (var property in properties)
            {
                strings.Set(
                    property.Key,
                    Json.TextAt(properties, property.Key)
                        ?? throw new JsonException($"'{name}.{property.Key}' must be a string.")
                );
            }
        }
        return strings.Build();
    }
}
