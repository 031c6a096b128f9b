using System.Collections.Concurrent;
using System.Net;
using EdgeDm.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;

namespace EdgeDm.EndToEnd.Tests;

/// <summary>Where update files are fetched from. Ranges and entity tags.</summary>
internal sealed class FileHost : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<string> requests = new();
    private readonly ConcurrentDictionary<string, Break> breaks = new(StringComparer.Ordinal);

    private FileHost(string folder, IPAddress address)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(address, 0));
        app = builder.Build();
        app.Use(
            (HttpContext context, RequestDelegate next) =>
            {
                requests.Enqueue(context.Request.Path.Value!);
                return breaks.TryGetValue(context.Request.Path.Value!, out var broken)
                    ? broken.AnswerAsync(context, next)
                    : next(context);
            }
        );
        app.UseStaticFiles(
            new StaticFileOptions { FileProvider = new PhysicalFileProvider(folder), ServeUnknownFileTypes = true }
        );
    }

    public string Url => app.Urls.First();

    /// <summary>Paths that were asked for.</summary>
    public IReadOnlyCollection<string> Requests => requests;

    /// <summary>Serves a folder.</summary>
    /// <param name="folder">What is served.</param>
    /// <param name="address">Where; null = to this machine alone.</param>
    public static async Task<FileHost> StartAsync(string folder, IPAddress? address = null)
    {
        var host = new FileHost(folder, address ?? IPAddress.Loopback);
        await host.app.StartAsync();
        return host;
    }

    /// <summary>The first answer for this path ends after so many bytes; further ones wait until <see cref="Mend"/>.</summary>
    public void BreakAfter(string path, int bytes) => breaks[path] = new(bytes);

    /// <summary>Ends <see cref="BreakAfter"/>. What waits is answered.</summary>
    public void Mend(string path)
    {
        if (breaks.TryRemove(path, out var broken))
        {
            broken.Mended.SetResult();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var path in breaks.Keys)
        {
            Mend(path);
        }
        await app.EndAsync();
    }

    private sealed class Break(int bytes)
    {
        private int answered;

        public TaskCompletionSource Mended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task AnswerAsync(HttpContext context, RequestDelegate next)
        {
            if (Interlocked.Exchange(ref answered, 1) != 0)
            {
                await Mended
                    .Task.WaitAsync(context.RequestAborted)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                await next(context);
                return;
            }
            var wire = context.Response.Body;
            using var whole = new MemoryStream();
            context.Response.Body = whole;
            await next(context);
            await wire.WriteAsync(whole.GetBuffer().AsMemory(0, bytes), context.RequestAborted);
            await wire.FlushAsync(context.RequestAborted); // Fewer than said: the server closes behind them.
        }
    }
}
