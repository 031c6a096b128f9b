using System.Net.Sockets;
using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace EdgeDm.HostAccess.Api;

/// <summary>
/// Serves <see cref="HostApi"/> on the two Unix sockets and nowhere else: no configuration file or environment variable can make it
/// listen on a network. Kestrel alone, without the web host around it: that would double what this idle sidecar needs.
/// </summary>
internal sealed partial class HostApiServer : IAsyncDisposable
{
    private readonly KestrelServer kestrel;
    private readonly ApiOptions options;
    private readonly CancellationTokenSource stopping = new();

    private HostApiServer(KestrelServer kestrel, ApiOptions options)
    {
        this.kestrel = kestrel;
        this.options = options;
    }

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
        var settings = new KestrelServerOptions();
        SetLimits(settings, options);
        foreach (var socket in sockets)
        {
            settings.ListenUnixSocket(socket.Path, listen => Admit(listen, socket, options, logger));
        }
        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), loggers);
        var server = new HostApiServer(new(Options.Create(settings), transport, loggers), options);
        try
        {
            foreach (var socket in sockets)
            {
                socket.Prepare(own);
            }
            await server.kestrel.StartAsync(new Application(routes, options, logger, server.stopping.Token), cancel);
            foreach (var socket in sockets)
            {
                socket.Open(own);
                LogListening(logger, socket.Name, socket.Path);
            }
            return server;
        }
        catch (Exception error)
        {
            await server.DisposeAsync();
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
        await stopping.CancelAsync();
        using var limit = new CancellationTokenSource(options.StopTimeout);
        await kestrel.StopAsync(limit.Token);
        kestrel.Dispose();
        stopping.Dispose();
    }

    private static void SetLimits(KestrelServerOptions kestrel, ApiOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        kestrel.Limits.MaxRequestHeadersTotalSize = options.MaxHeadBytes;
        kestrel.Limits.MaxRequestLineSize = options.MaxHeadBytes;
        kestrel.Limits.RequestHeadersTimeout = options.ReadTimeout;
        kestrel.Limits.MinResponseDataRate = new(options.MinAnswerRate, options.AnswerGrace);
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

    [LoggerMessage(Level = LogLevel.Information, Message = "Socket {Name} listens at {Path}")]
    private static partial void LogListening(ILogger logger, string name, string path);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Socket {Name} has its {Most} connections; a further one was closed"
    )]
    private static partial void LogTooMany(ILogger logger, string name, int most);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailed(ILogger logger, Exception error, string method, string path);

    /// <summary>What Kestrel hands the requests to.</summary>
    private sealed class Application(
        HostApiRoutes routes,
        ApiOptions options,
        ILogger logger,
        CancellationToken stopping
    ) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public void DisposeContext(HttpContext context, Exception? exception) { }

        public async Task ProcessRequestAsync(HttpContext context)
        {
            var request = new ApiRequest(context, options, stopping);
            try
            {
                await routes.AnswerAsync(request);
            }
            catch (EdgeDmException refusal) when (!context.Response.HasStarted)
            {
                await TellAsync(request, refusal.Error);
            }
            catch (Exception) when (context.RequestAborted.IsCancellationRequested)
            {
                // The peer is gone: nobody to tell.
            }
            catch (Exception error) when (!context.Response.HasStarted)
            {
                LogFailed(logger, error, context.Request.Method, context.Request.Path);
                await TellAsync(
                    request,
                    FullDisk.IsCauseOf(error)
                        ? ErrorRegistry.NoSpace.Told(
                            "data",
                            "The folder of HostAccess's records is full, and what is not on record must not happen.",
                            ("available", "0")
                        )
                        : ErrorRegistry.Internal.Told("request", $"The request failed with {error.GetType().Name}.")
                );
            }
        }

        private static Task TellAsync(ApiRequest request, ErrorObject error) =>
            request.AnswerAsync(ErrorAnswers.StatusOf(error), error, ContractsJson.Default.ErrorObject);
    }
}
