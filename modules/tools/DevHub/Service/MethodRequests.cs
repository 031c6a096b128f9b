using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary>
/// <c>POST /twins/{device}[/modules/{module}]/methods</c>: from a service, with IoT Hub's errors; or from a module of the same
/// device, which says so in a header, with edgeHub's.
/// </summary>
internal sealed class MethodRequests(HubParts parts)
{
    /// <summary>Names the module that calls: <c>device/module</c>.</summary>
    public const string CallerHeader = "x-ms-edge-moduleId";

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
        var call = MethodCall.Read(await Json.ReadObjectAsync(context.Request));
        await Json.WriteAsync(context.Response, await call.InvokeAsync(parts.Methods, client, context.RequestAborted));
    }

    private async Task InvokeFromModuleAsync(HttpContext context)
    {
        try
        {
            var caller = context.Request.Headers[CallerHeader].ToString().Split('/');
            if (caller.Length != 2)
            {
                await AnswerAsync(context.Response, 400, $"Invalid header value for {CallerHeader}");
                return;
            }
            if (caller[0] != parts.Identities.DeviceId)
            {
                await AnswerAsync(context.Response, 401, "Only modules on the same device can invoke DirectMethods");
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
}
