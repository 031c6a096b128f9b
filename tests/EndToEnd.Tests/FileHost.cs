using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;

namespace EdgeDm.EndToEnd.Tests;

/// <summary>Where update files are fetched from. Ranges and entity tags, on loopback.</summary>
internal sealed class FileHost : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<string> requests = new();

    private FileHost(string folder)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(System.Net.IPAddress.Loopback, 0));
        app = builder.Build();
        app.Use(
            (context, next) =>
            {
                requests.Enqueue(context.Request.Path.Value!);
                return next(context);
            }
        );
        app.UseStaticFiles(
            new StaticFileOptions { FileProvider = new PhysicalFileProvider(folder), ServeUnknownFileTypes = true }
        );
    }

    public string Url => app.Urls.First();

    /// <summary>Paths that were asked for.</summary>
    public IReadOnlyCollection<string> Requests => requests;

    public static async Task<FileHost> StartAsync(string folder)
    {
        var host = new FileHost(folder);
        await host.app.StartAsync();
        return host;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
