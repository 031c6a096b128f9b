using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace EdgeDm.DevHub.Page;

/// <summary>
/// Who may ask for what of the page. Every request must come to the loopback address and name it as its host (or a page of somebody
/// else's could reach it by a name of its own that leads here), and must not come from another origin; data need the session's
/// cookie, and what changes something must say that it comes from the page.
/// </summary>
internal sealed class PageGuard(DevHubServer server, PageSessions sessions)
{
    private const string SecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

    private string Host => $"{server.Address}:{server.HttpsPort}";

    // A cookie belongs to all ports of a host, so the port of the hub is in its name.
    private string CookieName => $"__Host-edgedm-{server.HttpsPort}";

    /// <summary><c>GET start?token=...</c>: the session's cookie for the token, once.</summary>
    public async Task StartAsync(HttpContext context)
    {
        if (!await IsForUsAsync(context))
        {
            return;
        }
        if (sessions.Open(context.Request.Query["token"]) is not { } secret)
        {
            await RefuseAsync(context.Response, StatusCodes.Status403Forbidden);
            return;
        }
        context.Response.Cookies.Append(
            CookieName,
            secret,
            new()
            {
                Secure = true,
                HttpOnly = true,
                SameSite = SameSiteMode.Strict,
                Path = "/",
            }
        );
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = "/devhub/page";
    }

    /// <summary>For the page itself: without a session, a page that says how to come by one.</summary>
    public Func<HttpContext, Task> ForPage(Func<HttpContext, Task> handler) =>
        async context =>
        {
            if (!await IsForUsAsync(context))
            {
                return;
            }
            if (!HasSession(context.Request))
            {
                await RefuseAsync(context.Response, StatusCodes.Status401Unauthorized);
                return;
            }
            await handler(context);
        };

    /// <summary>For files that are the same for everybody.</summary>
    public Func<HttpContext, Task> ForAsset(Func<HttpContext, Task> handler) =>
        async context =>
        {
            if (await IsForUsAsync(context))
            {
                await handler(context);
            }
        };

    /// <summary>For the page's data.</summary>
    public Func<HttpContext, Task> ForApi(Func<HttpContext, Task> handler) =>
        async context =>
        {
            if (!await IsForUsAsync(context))
            {
                return;
            }
            var request = context.Request;
            if (!HasSession(request))
            {
                throw new HubException(
                    HubError.IotHubUnauthorizedAccess,
                    "The page's session is over. Get a new address: edgedm hub page."
                );
            }
            if (
                !HttpMethods.IsGet(request.Method)
                && (!IsOurOrigin(request.Headers.Origin) || !request.HasJsonContentType())
            )
            {
                await SayAsync(
                    context.Response,
                    StatusCodes.Status403Forbidden,
                    "Only the page itself may ask for this, with JSON."
                );
                return;
            }
            await handler(context);
        };

    private async Task<bool> IsForUsAsync(HttpContext context)
    {
        Protect(context.Response.Headers);
        var request = context.Request;
        if (context.Connection.LocalIpAddress is not { } local || !IPAddress.IsLoopback(local))
        {
            // The second address is for the modules' containers.
            await SayAsync(
                context.Response,
                StatusCodes.Status404NotFound,
                "The page is served at the loopback address only."
            );
            return false;
        }
        if (!IsOurHost(request.Host))
        {
            await SayAsync(
                context.Response,
                StatusCodes.Status421MisdirectedRequest,
                $"The page is served as https://{Host} only."
            );
            return false;
        }
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        var isNavigation = request.Headers["Sec-Fetch-Mode"] == "navigate" && HttpMethods.IsGet(request.Method);
        if (
            (request.Headers.Origin.Count > 0 && !IsOurOrigin(request.Headers.Origin))
            || (!isNavigation && site is not ("" or "same-origin" or "none"))
        )
        {
            await SayAsync(context.Response, StatusCodes.Status403Forbidden, "Another site asked for this.");
            return false;
        }
        return true;
    }

    private bool IsOurHost(HostString host) =>
        host.Host == server.Address.ToString() && (host.Port ?? DevHubOptions.DefaultHttpsPort) == server.HttpsPort;

    // A browser leaves the usual port out.
    private bool IsOurOrigin(StringValues origin) =>
        origin.Count == 1
        && (
            origin == $"https://{Host}"
            || (server.HttpsPort == DevHubOptions.DefaultHttpsPort && origin == $"https://{server.Address}")
        );

    private bool HasSession(HttpRequest request) => sessions.IsOpen(request.Cookies[CookieName]);

    private static void Protect(IHeaderDictionary headers)
    {
        headers.ContentSecurityPolicy = SecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";
    }

    private static Task RefuseAsync(HttpResponse response, int status)
    {
        response.StatusCode = status;
        return PageAssets.WriteAsync(response, PageAssets.Refused);
    }

    private static Task SayAsync(HttpResponse response, int status, string text)
    {
        response.StatusCode = status;
        response.ContentType = "text/plain; charset=utf-8";
        return response.WriteAsync(text + "\n", response.HttpContext.RequestAborted);
    }
}
