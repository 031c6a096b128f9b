using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Service;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Faults;

/// <summary>Where HTTPS meets the faults: requests of clients that are cut off, before anything else sees them.</summary>
internal sealed class HttpsCut(FaultBoard board, RequestDelegate next)
{
    public Task RunAsync(HttpContext context) =>
        board.CutsHttps && ClientOf(context.Request) is { } client && board.HttpsCutOf(client) is { } cut
            ? EndAsync(context, cut)
            : next(context);

    private static async Task EndAsync(HttpContext context, CutFault cut)
    {
        if (cut.IsSilent)
        {
            try
            {
                await cut.Over.WaitAsync(context.RequestAborted);
            }
            catch (OperationCanceledException)
            {
                // The client gave up.
            }
        }
        context.Abort();
    }

    /// <summary>Which device or module says that the request is its own, true or not; null = a service, or a browser.</summary>
    private static HubIdentity? ClientOf(HttpRequest request)
    {
        if (request.Headers.TryGetValue(MethodRequests.CallerHeader, out var header))
        {
            var caller = header.ToString().Split('/');
            return new(caller[0], caller.Length > 1 ? caller[1] : null);
        }
        if (request.Path.StartsWithSegments($"/{BlobRequests.Container}", StringComparison.Ordinal, out var blob))
        {
            return new((blob.Value ?? "").Trim('/').Split('/')[0]);
        }
        if (!SasToken.TryParse(request.Headers.Authorization, out var token))
        {
            return null;
        }
        var parts = token.Resource.Split('/');
        return parts.Length switch
        {
            3 => new HubIdentity(Uri.UnescapeDataString(parts[2])),
            5 => new HubIdentity(Uri.UnescapeDataString(parts[2]), Uri.UnescapeDataString(parts[4])),
            _ => null,
        };
    }
}
