using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary>
/// Errors as IoT Hub's service SDKs read them: Node splits <c>Message</c> at <c>;</c>, C# reads the code there and compares it with
/// the header.
/// </summary>
internal static class ServiceErrors
{
    /// <summary>Answers with the error, unless an answer has begun.</summary>
    public static async Task WriteAsync(HttpResponse response, HubException error)
    {
        if (response.HasStarted)
        {
            response.HttpContext.Abort();
            return;
        }
        response.StatusCode = error.Status;
        response.Headers["iothub-errorcode"] = error.Error.ToString();
        var tracking = Guid.NewGuid().ToString("N");
        await Json.WriteAsync(response, Body(error, tracking));
    }

    private static JsonObject Body(HubException error, string tracking)
    {
        var now = DateTimeOffset.UtcNow;
        if (error.Error is HubError.DeviceNotOnline or HubError.GatewayTimeout)
        {
            // Errors of methods are JSON within the text.
            var inner = new JsonObject
            {
                ["errorCode"] = (int)error.Error,
                ["trackingId"] = tracking,
                ["message"] = error.Message,
                ["timestampUtc"] = now.ToString("O", CultureInfo.InvariantCulture),
            };
            return new() { ["Message"] = inner.ToJsonString(), ["ExceptionMessage"] = "" };
        }
        var stamp = now.ToString("MM/dd/yyyy HH:mm:ss", CultureInfo.InvariantCulture);
        return new()
        {
            ["Message"] = $"ErrorCode:{error.Error};{error.Message}",
            ["ExceptionMessage"] = $"Tracking ID:{tracking}-G:0-TimeStamp:{stamp}",
        };
    }
}
