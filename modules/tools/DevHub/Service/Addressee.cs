using EdgeDm.DevHub.Identities;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary>Whom a request's path names, and what it demands of them.</summary>
internal static class Addressee
{
    /// <summary>The device or module in the path.</summary>
    public static HubIdentity Of(HttpRequest request) =>
        new((string)request.RouteValues["device"]!, (string?)request.RouteValues["module"]);

    /// <summary>The identity in the path.</summary>
    /// <exception cref="HubException"><see cref="HubError.DeviceNotFound"/> or <see cref="HubError.ModuleNotFound"/>.</exception>
    public static Identity Require(IdentityRegistry identities, HubIdentity id)
    {
        if (identities.Find(id) is { } found)
        {
            return found;
        }
        throw id.ModuleId is not null && identities.Find(new(id.DeviceId)) is not null
            ? new HubException(HubError.ModuleNotFound, $"The device '{id.DeviceId}' has no module '{id.ModuleId}'.")
            : new HubException(HubError.DeviceNotFound, $"There is no device '{id.DeviceId}'.");
    }

    /// <summary>The etag of If-Match without quotes; null when absent, <c>*</c> for any.</summary>
    public static string? IfMatch(HttpRequest request)
    {
        var value = request.Headers.IfMatch.ToString().Trim();
        return value.Length == 0 ? null : value.Trim('"');
    }
}
