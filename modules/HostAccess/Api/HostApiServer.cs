using System.Net.Sockets;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Api;

/// <summary>
/// Serves <see cref="HostApi"/> on the two Unix sockets and nowhere else: no configuration file or environment variable can make it
/// listen on a network.
/// </summary>
internal sealed partial class HostApiServer : IAsyncDisposable
{
    private readonly WebApplication application;
    private readonly ApiOptions options;

    private HostApiServer(WebApplication application, ApiOptions options)
    {
        this.application = application;
        this.options = options;
    }

    private CancellationToken Stopping => application.Lifetime.ApplicationStopping;

    /// <summary>Begins to listen. When this returns, both sockets answer.</summary>
    /// <exception cref="MisconfiguredException">A socket cannot be made where the configuration wants it.</exception>
    public static async Task<HostApiServer> StartAsync(
        IReadOnlyList<HostSocket> sockets,
        HostApiRoutes routes,
        ApiOptions options,
        ILoggerFactory loggers,
        CancellationToken cancel
    )
    {
        var own = OwnUser.Id;
        var logger = loggers.CreateLogger<HostApiServer>();
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, OwnLifetime>();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            SetLimits(kestrel, options);
            foreach (var socket in sockets)
            {
                kestrel.ListenUnixSocket(socket.Path, listen => Admit(listen, socket, options, logger));
            }
        });
        var server = new HostApiServer(builder.Build(), options);
        server.application.Run(http => AnswerAsync(http, routes, options, logger, server.Stopping));
        try
        {
            foreach (var socket in sockets)
            {
                socket.Prepare(own);
            }
            await server.application.StartAsync(cancel);
            foreach (var socket in sockets)
            {
                socket.Open(own);
                LogListening(logger, socket.Name, socket.Path);
            }
            return server;
        }
        catch (Exception error)
        {
            await server.application.DisposeAsync();
            throw error is IOException or UnauthorizedAccessException or SocketException
                ? new MisconfiguredException(
                    $"A socket of {string.Join(", ", sockets.Select(s => s.Path))} cannot be made: {error.Message}"
                )
                : error;
        }
    }

    /// <summary>Lets answers under way end, then closes the sockets.</summary>
    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(options.StopTimeout);
        await application.StopAsync(limit.Token);
        await application.DisposeAsync();
    }

    private static void SetLimits(KestrelServerOptions kestrel, ApiOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        kestrel.Limits.MaxRequestHeadersTotalSize = options.MaxHeadBytes;
        kestrel.Limits.MaxRequestLineSize = options.MaxHeadBytes;
        kestrel.Limits.RequestHeadersTimeout = options.ReadTimeout;
        kestrel.Limits.KeepAliveTimeout = options.IdleTimeout;
    }

    private static void Admit(ListenOptions listen, HostSocket socket, ApiOptions options, ILogger logger)
    {
        listen.Protocols = HttpProtocols.Http1;
        var open = 0;
        listen.Use(next => new ConnectionDelegate(async connection =>
        {
            try
            {
                // Counted per socket, so that a reader can never shut out who may act.
                if (Interlocked.Increment(ref open) > options.MaxConnections)
                {
                    LogTooMany(logger, socket.Name, options.MaxConnections);
                    connection.Abort(new ConnectionAbortedException("Too many connections."));
                    return;
                }
                var peer = connection.Features.Get<IConnectionSocketFeature>()!.Socket;
                connection.Features.Set(new ApiConnection(socket, PeerCredentials.Of(peer)));
                await next(connection);
            }
            finally
            {
                Interlocked.Decrement(ref open);
            }
        }));
    }

    private static async Task AnswerAsync(
        HttpContext http,
        HostApiRoutes routes,
        ApiOptions options,
        ILogger logger,
        CancellationToken stopping
    )
    {
        var request = new ApiRequest(http, options, stopping);
        try
        {
            await routes.AnswerAsync(request);
        }
        catch (EdgeDmException refusal) when (!http.Response.HasStarted)
        {
            await TellAsync(request, refusal.Error);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // The peer is gone: nobody to tell.
        }
        catch (Exception error) when (!http.Response.HasStarted)
        {
            LogFailed(logger, error, http.Request.Method, http.Request.Path);
            await TellAsync(
                request,
                error is IOException
                    ? ErrorRegistry.NoSpace.Told("data", $"HostAccess cannot write its records: {error.Message}")
                    : ErrorRegistry.Internal.Told("request", $"The request failed with {error.GetType().Name}.")
            );
        }
    }

    private static Task TellAsync(ApiRequest request, ErrorObject error) =>
        request.AnswerAsync(ErrorAnswers.StatusOf(error), error, ContractsJson.Default.ErrorObject);

    [LoggerMessage(Level = LogLevel.Information, Message = "Socket {Name} listens at {Path}")]
    private static partial void LogListening(ILogger logger, string name, string path);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Socket {Name} has its {Most} connections; a further one was closed"
    )]
    private static partial void LogTooMany(ILogger logger, string name, int most);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailed(ILogger logger, Exception error, string method, string path);

    /// <summary>Signals are the program's, not the web host's.</summary>
    private sealed class OwnLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
