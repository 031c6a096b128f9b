using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using EdgeDm.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace EdgeDm.EndToEnd.Tests.ClearEnds;

/// <summary>A file server on loopback that can be wrong in every way, and counts what was asked of it and what it sent.</summary>
internal sealed class TroubledServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentDictionary<string, RequestDelegate> answers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> requests = new(StringComparer.Ordinal);
    private long bodyBytes;

    private TroubledServer()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.Listen(IPAddress.Loopback, 0);
            k.Limits.MinResponseDataRate = null;
        });
        app = builder.Build();
        app.Run(AnswerAsync);
    }

    public string Url => app.Urls.First();

    /// <summary>Bytes of files that were sent.</summary>
    public long BodyBytes => Interlocked.Read(ref bodyBytes);

    public static async Task<TroubledServer> StartAsync()
    {
        var server = new TroubledServer();
        await server.app.StartAsync();
        return server;
    }

    /// <summary>How often a path was asked for.</summary>
    public int RequestsOf(string path) => requests.GetValueOrDefault(path);

    /// <summary>How a path is answered.</summary>
    public void Answer(string path, RequestDelegate answer) => answers[path] = answer;

    /// <summary>Serves a file as a good server does: with an entity tag and ranges, up to <paramref name="until"/> bytes, then it hangs up.</summary>
    public RequestDelegate Serve(byte[] content, int? until = null) =>
        async http =>
        {
            var rest = Begin(http, content);
            var from = content.Length - rest.Length;
            await SendAsync(http, rest[..Math.Max(0, (until ?? content.Length) - from)]);
            if (until < content.Length)
            {
                http.Abort();
            }
        };

    /// <summary>Sends a few bytes now and then: a connection that lives and brings nothing.</summary>
    public RequestDelegate Trickle(byte[] content) =>
        async http =>
        {
            var rest = Begin(http, content);
            using var period = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
            while (!http.RequestAborted.IsCancellationRequested && await period.WaitForNextTickAsync())
            {
                await SendAsync(http, rest[..2]);
                rest = rest[2..];
            }
        };

    /// <summary>Sends so many bytes without saying how many they will be.</summary>
    public RequestDelegate SendUnannounced(int bytes) => http => SendAsync(http, new byte[bytes]);

    /// <summary>Promises the file and sends no byte of it.</summary>
    public static RequestDelegate Stall(int promised) =>
        async http =>
        {
            http.Response.ContentLength = promised;
            await http.Response.StartAsync();
            await Task.Delay(Timeout.Infinite, http.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        };

    /// <summary>Answers each request with the next address.</summary>
    public static RequestDelegate RedirectForEver =>
        http =>
        {
            var n = int.Parse("0" + http.Request.Query["n"], CultureInfo.InvariantCulture);
            http.Response.Redirect($"{http.Request.Path}?n={n + 1}");
            return Task.CompletedTask;
        };

    public static RequestDelegate Status(int status) =>
        http =>
        {
            http.Response.StatusCode = status;
            return Task.CompletedTask;
        };

    public ValueTask DisposeAsync() => app.EndAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        requests.AddOrUpdate(path, 1, (_, count) => count + 1);
        await (answers.GetValueOrDefault(path) ?? Status(StatusCodes.Status404NotFound))(http);
    }

    /// <summary>Writes the head of an answer and returns the bytes that must follow: the range that was asked for, or all.</summary>
    private static ReadOnlyMemory<byte> Begin(HttpContext http, byte[] content)
    {
        var tag = $"\"{content.Length}-{content[0]}\"";
        http.Response.Headers.ETag = tag;
        var from =
            http.Request.Headers.IfRange == tag ? http.Request.GetTypedHeaders().Range?.Ranges.Single().From : null;
        if (from is { } start)
        {
            http.Response.StatusCode = StatusCodes.Status206PartialContent;
            http.Response.Headers.ContentRange = $"bytes {start}-{content.Length - 1}/{content.Length}";
        }
        var rest = content.AsMemory((int)(from ?? 0));
        http.Response.ContentLength = rest.Length;
        return rest;
    }

    private async Task SendAsync(HttpContext http, ReadOnlyMemory<byte> bytes)
    {
        await http.Response.Body.WriteAsync(bytes);
        await http.Response.Body.FlushAsync();
        Interlocked.Add(ref bodyBytes, bytes.Length);
    }
}
