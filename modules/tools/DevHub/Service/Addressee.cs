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
    public static Identity Require(IdentityRegistry identities, HubIdentity id) =>
        identities.Find(id) ?? throw identities.NotFound(id);

    /// <summary>The etag of If-Match without quotes; null when absent, <c>*</c> for any.</summary>
    public static string? IfMatch(HttpRequest request)
    {
        var value = request.Headers.IfMatch.ToString().Trim();
        return value.Length == 0 ? null : value.Trim('"');
    }
}
