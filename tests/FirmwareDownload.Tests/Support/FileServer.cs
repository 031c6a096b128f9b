using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeDm.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace EdgeDm.FirmwareDownload.Tests.Support;

/// <summary>
/// A web server with one file at every path. By itself it does ranges as RFC 9110 says and counts what it sends; a test
/// makes it misbehave, request by request.
/// </summary>
internal sealed class FileServer : IAsyncDisposable
{
    private const int SendBufferBytes = 32 * 1024;

    private readonly WebApplication app;
    private readonly ConcurrentQueue<SeenRequest> seen = new();
    private long bytesSent;

    private FileServer(byte[] content, X509Certificate2? certificate)
    {
        Content = content;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(
                IPAddress.Loopback,
                0,
                listen =>
                {
                    if (certificate is not null)
                    {
                        listen.UseHttps(certificate);
                    }
                }
            );
        });
        // Small buffers: what the server counts as sent has nearly been received.
        builder.WebHost.UseSockets(sockets =>
            sockets.CreateBoundListenSocket = endpoint =>
            {
                var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
                socket.SendBufferSize = SendBufferBytes;
                return socket;
            }
        );
        app = builder.Build();
        app.Run(ServeAsync);
    }

    /// <summary>The file.</summary>
    public byte[] Content { get; set; }

    /// <summary>Entity tag; null = none.</summary>
    public string? ETag { get; set; } = "\"v1\"";

    /// <summary>Last-Modified; null = none.</summary>
    public DateTimeOffset? LastModified { get; set; }

    /// <summary>Answers a request itself and returns true, or returns false to leave it to the server. The number counts from 0.</summary>
    public Func<HttpContext, int, Task<bool>> Misbehave { get; set; } = (_, _) => Task.FromResult(false);

    /// <summary>Cuts the connection of the n-th request after so many bytes of the body.</summary>
    public Func<int, long?> CutAfter { get; set; } = _ => null;

    /// <summary>Called before each piece of a body with the bytes sent so far.</summary>
    public Func<long, CancellationToken, Task> Pace { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Bytes of bodies sent so far.</summary>
    public long BytesSent => Interlocked.Read(ref bytesSent);

    /// <summary>Requests so far.</summary>
    public IReadOnlyList<SeenRequest> Requests => [.. seen];

    /// <summary>For example <c>http://127.0.0.1:4711</c>.</summary>
    public string Origin => app.Urls.First();

    /// <summary>An address of the file.</summary>
    public string Url => Origin + "/file.bin?token=" + TestFiles.Token;

    public static async Task<FileServer> StartAsync(byte[] content, X509Certificate2? certificate = null)
    {
        var server = new FileServer(content, certificate);
        await server.app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await app.EndAsync(); // Requests that hang on purpose are cut.
    }

    private async Task ServeAsync(HttpContext context)
    {
        var number = seen.Count;
        var headers = context.Request.Headers;
        seen.Enqueue(
            new(
                context.Request.Path + context.Request.QueryString,
                headers.Range.ToString(),
                headers.IfRange.ToString(),
                headers.AcceptEncoding.ToString()
            )
        );
        if (ETag is not null)
        {
            context.Response.Headers.ETag = ETag;
        }
        if (LastModified is { } modified)
        {
            context.Response.Headers.LastModified = modified.ToString("R", CultureInfo.InvariantCulture);
        }
        if (!await Misbehave(context, number))
        {
            await SendAsync(context, number);
        }
    }

    private async Task SendAsync(HttpContext context, int number)
    {
        var from = 0L;
        var headers = context.Request.Headers;
        if (headers.Range.ToString() is { Length: > 0 } range && IsCurrent(headers.IfRange.ToString()))
        {
            from = long.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture);
            if (from >= Content.Length)
            {
                context.Response.StatusCode = 416;
                return;
            }
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{Content.Length - 1}/{Content.Length}";
        }
        context.Response.ContentLength = Content.Length - from;
        await SendBodyAsync(context, from, Content.Length, CutAfter(number));
    }

    /// <summary>Sends a part of the file, counted, and cuts the connection after <paramref name="cutAfter"/> bytes.</summary>
    public async Task SendBodyAsync(HttpContext context, long from, long to, long? cutAfter = null)
    {
        const int Piece = 16 * 1024;
        var cut = from + (cutAfter ?? long.MaxValue / 2);
        while (from < to)
        {
            if (from >= cut)
            {
                await context.Response.Body.FlushAsync();
                context.Abort();
                return;
            }
            await Pace(BytesSent, context.RequestAborted);
            var count = (int)Math.Min(Math.Min(Piece, to - from), cut - from);
            await context.Response.Body.WriteAsync(Content.AsMemory((int)from, count), context.RequestAborted);
            Interlocked.Add(ref bytesSent, count);
            from += count;
        }
    }

    private bool IsCurrent(string ifRange) =>
        ifRange.Length == 0
        || ifRange == ETag
        || (LastModified is { } at && ifRange == at.ToString("R", CultureInfo.InvariantCulture));
}

/// <summary>What a client asked.</summary>
internal sealed record SeenRequest(string Target, string Range, string IfRange, string AcceptEncoding);

/// <summary>Content for tests.</summary>
internal static class TestFiles
{
    /// <summary>A secret in every address: it may appear nowhere but in requests and in the record.</summary>
    public const string Token = "sEcReT-t0ken";

    /// <summary>Bytes that repeat nowhere, the same for the same seed.</summary>
    public static byte[] Make(int size, int seed = 1)
    {
        var bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static string Digest(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
