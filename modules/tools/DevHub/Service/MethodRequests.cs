using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Methods;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary>
/// <c>POST /twins/{device}[/modules/{module}]/methods</c>: from a service, with IoT Hub's errors; or from a module of the same
/// device, which says so in a header, with edgeHub's.
/// </summary>
internal sealed class MethodRequests(HubParts parts)
{
    private const string CallerHeader = "x-ms-edge-moduleId";
    private const int DefaultResponseSeconds = 30;
    private const int ShortestResponseSeconds = 5;
    private const int LongestSeconds = 300;
    private const string NotInNames = "/+#?";

    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Headers.ContainsKey(CallerHeader))
        {
            return InvokeFromModuleAsync(context);
        }
        ServiceApi.RequireService(parts, context.Request);
        return CallAsync(context);
    }

    private async Task CallAsync(HttpContext context)
    {
        var client = Addressee.Require(parts.Identities, Addressee.Of(context.Request)).Id;
        var call = Read(await Json.ReadObjectAsync(context.Request));
        var answer = await parts.Methods.InvokeAsync(
            client,
            call.Name,
            call.Payload,
            call.ResponseTimeout,
            call.ConnectTimeout,
            context.RequestAborted
        );
        await Json.WriteAsync(
            context.Response,
            new JsonObject { ["status"] = answer.Status, ["payload"] = PayloadOf(client, answer) }
        );
    }

    private async Task InvokeFromModuleAsync(HttpContext context)
    {
        try
        {
            var caller = context.Request.Headers[CallerHeader].ToString().Split('/');
            if (caller.Length != 2 || caller[0] != parts.Identities.DeviceId)
            {
                await AnswerAsync(context.Response, 400, $"Invalid header value for {CallerHeader}");
                return;
            }
            var module = new HubIdentity(caller[0], caller[1]);
            if (parts.Tokens.RefusalOfClient(module, context.Request.Headers.Authorization, out _) is { } refusal)
            {
                await AnswerAsync(context.Response, 401, $"Unauthorized: {refusal}");
                return;
            }
            await CallAsync(context);
        }
        catch (HubException error)
            when (error.Error is HubError.DeviceNotFound or HubError.ModuleNotFound or HubError.DeviceNotOnline)
        {
            await AnswerAsync(context.Response, 404, $"Client {Addressee.Of(context.Request)} not found");
        }
        catch (HubException error) when (error.Error == HubError.ArgumentInvalid)
        {
            // A bare string, as edgeHub's validation gives it.
            context.Response.StatusCode = 400;
            await Json.WriteAsync(context.Response, JsonValue.Create(error.Message));
        }
        catch (HubException error)
        {
            await AnswerAsync(context.Response, error.Status, error.Message);
        }
    }

    private static Task AnswerAsync(HttpResponse response, int status, string message)
    {
        response.StatusCode = status;
        return Json.WriteAsync(response, new JsonObject { ["message"] = message });
    }

    private static MethodCall Read(JsonObject body)
    {
        var name = Json.TextAt(body, "methodName") ?? "";
        if (
            name.Length is 0 or > MethodBroker.LongestName
            || name.Any(c => char.IsControl(c) || NotInNames.Contains(c, StringComparison.Ordinal))
        )
        {
            throw Invalid(
                $"'methodName' must have 1 to {MethodBroker.LongestName} characters, none of them a control character or "
                    + $"one of {NotInNames}."
            );
        }
        var response = Json.IntegerAt(body, "responseTimeoutInSeconds", DefaultResponseSeconds);
        if (response is < ShortestResponseSeconds or > LongestSeconds)
        {
            throw Invalid($"'responseTimeoutInSeconds' must be {ShortestResponseSeconds} to {LongestSeconds}.");
        }
        var connect = Json.IntegerAt(body, "connectTimeoutInSeconds", 0);
        if (connect is < 0 or > LongestSeconds)
        {
            throw Invalid($"'connectTimeoutInSeconds' must be 0 to {LongestSeconds}.");
        }
        var payload = body.TryGetPropertyValue("payload", out var given)
            ? Encoding.UTF8.GetBytes(given?.ToJsonString() ?? "null")
            : [];
        if (payload.Length > MethodBroker.LargestPayload)
        {
            throw new HubException(
                HubError.MessageTooLarge,
                $"'payload' is larger than {MethodBroker.LargestPayload} bytes."
            );
        }
        return new(name, payload, TimeSpan.FromSeconds(response), TimeSpan.FromSeconds(connect));
    }

    private static JsonNode? PayloadOf(HubIdentity client, MethodAnswer answer)
    {
        if (answer.Payload.IsEmpty)
        {
            return null;
        }
        try
        {
            return JsonNode.Parse(answer.Payload.Span);
        }
        catch (JsonException)
        {
            throw new HubException(HubError.ServerError, $"'{client}' answered with something that is not JSON.");
        }
    }

    private static HubException Invalid(string what) => new(HubError.ArgumentInvalid, what);

    private sealed record MethodCall(string Name, byte[] Payload, TimeSpan ResponseTimeout, TimeSpan ConnectTimeout);
}
