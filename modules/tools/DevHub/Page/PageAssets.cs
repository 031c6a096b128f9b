using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Page;

/// <summary>The page's files, which are resources of the program.</summary>
internal static class PageAssets
{
    /// <summary>The page.</summary>
    public const string Index = "index.html";

    /// <summary>For who comes without a session: how to get one.</summary>
    public const string Refused = "refused.html";

    private const string Prefix = "page/";

    private static readonly FrozenDictionary<string, byte[]> Files = typeof(PageAssets)
        .Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal))
        .ToFrozenDictionary(name => name[Prefix.Length..], Read, StringComparer.Ordinal);

    /// <summary>Answers with a file; 404 for one that is none. The status is what it was, 200 unless set.</summary>
    public static async Task WriteAsync(HttpResponse response, string name)
    {
        if (!Files.TryGetValue(name, out var content))
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        response.ContentType = Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".svg" => "image/svg+xml",
            _ => "text/javascript; charset=utf-8",
        };
        response.ContentLength = content.Length;
        await response.Body.WriteAsync(content, response.HttpContext.RequestAborted);
    }

    private static byte[] Read(string resource)
    {
        using var stream = typeof(PageAssets).Assembly.GetManifestResourceStream(resource)!;
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
