using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Cli;

/// <summary>A file server for developers: ranges, entity tags, a bandwidth and a count.</summary>
internal static class ServeHandler
{
    private static readonly TimeSpan CountPeriod = TimeSpan.FromSeconds(0.25);

    public static async Task<int> RunAsync(
        ServeOptions options,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        if (!Directory.Exists(options.Folder))
        {
            throw new CliException(ExitCodes.Usage, $"There is no folder '{options.Folder}'.");
        }
        if (!IPAddress.TryParse(options.Address, out var address))
        {
            throw new CliException(ExitCodes.Usage, $"'{options.Address}' is no IP address.");
        }
        var meter = new Meter(options.Rate, context.Time);
        await using var app = Build(options, address, meter);
        await app.StartAsync(cancellationToken);
        var url = app
            .Services.GetRequiredService<IServer>()
            .Features.GetRequiredFeature<IServerAddressesFeature>()
            .Addresses.First();
        await WriteAsync(options.CountFile, "0", cancellationToken); // First: whoever has the address may want the count.
        await WriteAsync(options.UrlFile, url, cancellationToken);
        context.Terminal.Say($"serving {Path.GetFullPath(options.Folder)} at {url}/");
        // The web server takes the process's signals to itself.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(
            cancellationToken,
            app.Lifetime.ApplicationStopping
        );
        if (options.StopOnStdinClose)
        {
            // Not of the pool, which has one alone where there is one core.
            new Thread(() => StopWithStandardInput(app.Lifetime)) { IsBackground = true }.Start();
        }
        await CountAsync(options.CountFile, meter, context.Time, end.Token);
        await app.StopAsync(CancellationToken.None);
        var sent = meter.Sent.ToString(CultureInfo.InvariantCulture);
        context.Terminal.Say($"sent {sent} bytes");
        await WriteAsync(options.CountFile, sent, CancellationToken.None);
        return ExitCodes.Done;
    }

    /// <summary>Keeps the count up to date until the end.</summary>
    private static async Task CountAsync(string? file, Meter meter, TimeProvider time, CancellationToken end)
    {
        using var timer = new PeriodicTimer(CountPeriod, time);
        try
        {
            do
            {
                await WriteAsync(file, meter.Sent.ToString(CultureInfo.InvariantCulture), end);
            } while (await timer.WaitForNextTickAsync(end));
        }
        catch (OperationCanceledException)
        {
            // Interrupted: that is how serving ends.
        }
    }

    private static WebApplication Build(ServeOptions options, IPAddress address, Meter meter)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(h =>
            h.ShutdownTimeout = TimeSpan.FromSeconds(1) // A slow client does not hold up the end.
        );
        builder.WebHost.ConfigureKestrel(server => server.Listen(address, options.Port));
        var app = builder.Build();
        app.Use(
            (request, next) =>
            {
                request.Response.Body = new MeteredStream(request.Response.Body, meter);
                return next(request);
            }
        );
        app.UseStaticFiles(
            new StaticFileOptions
            {
                FileProvider = new PhysicalFileProvider(Path.GetFullPath(options.Folder)),
                ServeUnknownFileTypes = true,
                DefaultContentType = "application/octet-stream",
                ContentTypeProvider = new FileExtensionContentTypeProvider(
                    new Dictionary<string, string>(StringComparer.Ordinal)
                ),
            }
        );
        app.Run(request =>
        {
            request.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
        return app;
    }

    private static void StopWithStandardInput(Microsoft.Extensions.Hosting.IHostApplicationLifetime lifetime)
    {
        using var input = Console.OpenStandardInput();
        while (input.ReadByte() >= 0)
        {
            // What is said there does not matter, only its end.
        }
        lifetime.StopApplication();
    }

    /// <summary>Renamed into place: whoever reads it meanwhile sees a whole one.</summary>
    private static async Task WriteAsync(string? path, string content, CancellationToken cancellationToken)
    {
        if (path is not null)
        {
            await File.WriteAllTextAsync(path + ".tmp", content, cancellationToken);
            File.Move(path + ".tmp", path, overwrite: true);
        }
    }
}

/// <summary>What was asked for.</summary>
internal sealed record ServeOptions(
    string Folder,
    string Address,
    int Port,
    long Rate,
    string? UrlFile,
    string? CountFile,
    bool StopOnStdinClose
);
