using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Broker;
using EdgeDm.DevHub.Configurations;
using EdgeDm.DevHub.Faults;
using EdgeDm.DevHub.Files;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Jobs;
using EdgeDm.DevHub.Queues;
using EdgeDm.DevHub.Recording;
using EdgeDm.DevHub.Routing;
using EdgeDm.DevHub.Service;
using EdgeDm.DevHub.Twins;
using EdgeDm.Durable;
using EdgeDm.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub;

/// <summary>Puts a hub together and starts it.</summary>
internal static partial class HubStart
{
    /// <summary>See <see cref="DevHubServer.StartAsync"/>.</summary>
    public static async Task<DevHubServer> RunAsync(
        DevHubOptions options,
        X509Certificate2 certificate,
        ILoggerFactory loggers,
        TimeProvider time,
        CancellationToken cancellationToken
    )
    {
        PrivateFolder.Create(options.DataFolder);
        var logger = loggers.CreateLogger<DevHubServer>();
        var listeners = new HubListeners(
            Choose(options, options.Address, options.MqttPort, options.HttpsPort, logger),
            options.ContainerAddress is { } address ? Choose(options, address, null, null, logger) : null
        );
        var parts = Compose(options, loggers, time);
        var connections = new ConnectionTable(
            options.MostSubscriptions,
            new SessionStore(options.DataFolder, loggers.CreateLogger<SessionStore>()),
            time
        );
        parts.Twins.Observe(new DesiredNotifier(connections));
        parts.Identities.Observe(new IdentityFollower(parts, connections).OnChanged);
        if (parts.Record is { } record)
        {
            parts.Twins.Observe(record);
            parts.Upstream.Taking = record.OnUpstream;
        }
        // Where another edgeHub is below this hub, its twin and its routes are its own affair.
        var edgeHub =
            options.Profile == HubProfile.EdgeHub
                ? new EdgeHubTwin(options.DeviceId, parts.Twins, parts.Router, loggers.CreateLogger<EdgeHubTwin>())
                : null;
        var app = Build(loggers, certificate, new MqttServer(parts, connections), listeners);
        app.Use(next => new HttpsCut(parts.Faults, next).RunAsync);
        app.UseRouting();
        var services = new ServiceParts(parts, connections);
        var server = new DevHubServer(app, parts, connections, edgeHub, listeners, services);
        ServiceApi.Map(app, services, server, app.Lifetime.ApplicationStopping);
        try
        {
            await app.StartAsync(cancellationToken);
            services.Start();
            AtomicFile.Write(
                options.ConnectionStringFile,
                Encoding.UTF8.GetBytes(server.ServiceConnectionString + "\n"),
                failpoint: null
            );
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
        foreach (var listener in listeners.All)
        {
            LogServing(logger, listener.Address, listener.Mqtt.Number, listener.Https.Number);
        }
        return server;
    }

    private static HubListener Choose(
        DevHubOptions options,
        IPAddress address,
        int? mqttPort,
        int? httpsPort,
        ILogger logger
    )
    {
        var ports = new PortChoice(address, logger);
        return new(
            address,
            new(ports.Choose("MQTT", mqttPort, DevHubOptions.DefaultMqttPort, options.MqttFallbackPort)),
            new(ports.Choose("HTTPS", httpsPort, DevHubOptions.DefaultHttpsPort, options.HttpsFallbackPort))
        );
    }

    private static HubParts Compose(DevHubOptions options, ILoggerFactory loggers, TimeProvider time)
    {
        var identities = new IdentityRegistry(
            options.DataFolder,
            options.DeviceId,
            loggers.CreateLogger<IdentityRegistry>(),
            time,
            options.Identities
        );
        var journal = options.DurableQueues
            ? new MessageJournal(
                Path.Combine(options.DataFolder, "queues"),
                options.JournalGarbage,
                loggers.CreateLogger<MessageJournal>()
            )
            : null;
        var messages = new MessageStore(options.LargestQueue, journal, time);
        var upstream = new UpstreamLog(options.UpstreamKept, time);
        return new(
            options,
            identities,
            new(
                identities,
                options.EffectiveHubHostName,
                options.EffectiveGatewayHostName,
                time,
                options.ContainerAddress?.ToString()
            ),
            new(options.DataFolder, loggers.CreateLogger<TwinStore>(), time),
            new(options.DeviceId, messages, upstream, loggers.CreateLogger<MessageRouter>()),
            messages,
            upstream,
            new(time),
            new(options.DataFolder, options.Jobs, loggers.CreateLogger<JobStore>()),
            new(options.DataFolder, options.Configurations, loggers.CreateLogger<ConfigurationStore>()),
            new(messages, options.CloudMessages, time),
            new(options.DataFolder, options.Files, time, loggers.CreateLogger<FileStore>()),
            new(options.Faults, time, loggers.CreateLogger<FaultBoard>()),
            options.RecordFile is { } file ? OpenRecord(file, time) : null,
            time,
            loggers
        );
    }

    private static TrafficRecord OpenRecord(string file, TimeProvider time)
    {
        try
        {
            return new(file, time);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MisconfiguredException($"The record '{file}' cannot be written: {error.Message}");
        }
    }

    private static WebApplication Build(
        ILoggerFactory loggers,
        X509Certificate2 certificate,
        MqttServer mqttServer,
        HubListeners listeners
    )
    {
        // Empty: nothing is read from the environment or from files of the working directory.
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddSingleton(loggers);
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Services.AddSingleton<IConnectionListenerFactory>(new MqttSockets(loggers));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = ServiceApi.LargestBody;
            foreach (var listener in listeners.All)
            {
                Listen(kestrel, listener, certificate, mqttServer);
            }
        });
        return builder.Build();
    }

    private static void Listen(
        KestrelServerOptions kestrel,
        HubListener listener,
        X509Certificate2 certificate,
        MqttServer mqttServer
    )
    {
        kestrel.Listen(
            new MqttEndPoint(listener.Address, listener.Mqtt.Wanted),
            listen =>
            {
                listener.Mqtt.Listen = listen;
                listen.Protocols = HttpProtocols.Http1;
                listen.UseHttps(Tls(certificate));
                listen.Run(mqttServer.OnConnectedAsync);
            }
        );
        kestrel.Listen(
            listener.Address,
            listener.Https.Wanted,
            listen =>
            {
                listener.Https.Listen = listen;
                listen.UseHttps(Tls(certificate));
            }
        );
    }

    private static HttpsConnectionAdapterOptions Tls(X509Certificate2 certificate) =>
        new() { ServerCertificate = certificate, SslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 };

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Serving MQTT at {Address}:{MqttPort} and HTTPS at port {HttpsPort}"
    )]
    private static partial void LogServing(ILogger logger, IPAddress address, int mqttPort, int httpsPort);

    private sealed class DesiredNotifier(ConnectionTable connections) : ITwinObserver
    {
        public void OnDesiredChanged(Twin twin, JsonObject changed) =>
            connections.Find(twin.Id)?.SendDesired(changed, twin.Desired.Version);
    }
}

/// <summary>Where the hub listens.</summary>
/// <param name="Main">For everybody on this machine.</param>
/// <param name="Containers">For the modules' containers; null = there are none.</param>
internal sealed record HubListeners(HubListener Main, HubListener? Containers)
{
    public IEnumerable<HubListener> All => Containers is null ? [Main] : [Main, Containers];
}

/// <summary>One address of the hub.</summary>
internal sealed record HubListener(IPAddress Address, BoundPort Mqtt, BoundPort Https);

/// <summary>A port of the hub, known for certain once it is bound.</summary>
/// <param name="wanted">What to bind; 0 = any.</param>
internal sealed class BoundPort(int wanted)
{
    /// <summary>What to bind.</summary>
    public int Wanted { get; } = wanted;

    /// <summary>Set when the listener is described, and given its end point when it is bound.</summary>
    public ListenOptions? Listen { get; set; }

    /// <summary>What was bound.</summary>
    public int Number => Listen?.IPEndPoint?.Port ?? Wanted;
}
