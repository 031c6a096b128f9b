using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Broker;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Methods;
using EdgeDm.DevHub.Page;
using EdgeDm.DevHub.Routing;
using EdgeDm.DevHub.Service;
using EdgeDm.DevHub.Twins;
using EdgeDm.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub;

/// <summary>
/// A running dev hub: MQTT over TLS for modules, HTTPS for services and for method calls between modules, both on one address, and on a
/// second one where modules are containers.
/// Made by <see cref="StartAsync"/>, stopped by disposal.
/// </summary>
public sealed class DevHubServer : IAsyncDisposable
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly WebApplication app;
    private readonly ConnectionTable connections;
    private readonly EdgeHubTwin? edgeHub;
    private readonly HubParts parts;
    private readonly HubListeners listeners;
    private readonly ServiceParts services;
    private int disposed;

    internal DevHubServer(
        WebApplication app,
        HubParts parts,
        ConnectionTable connections,
        EdgeHubTwin? edgeHub,
        HubListeners listeners,
        ServiceParts services
    )
    {
        this.app = app;
        this.parts = parts;
        this.connections = connections;
        this.edgeHub = edgeHub;
        this.listeners = listeners;
        this.services = services;
        Page = new(parts, this);
    }

    /// <summary>Where MQTT is served.</summary>
    public int MqttPort => listeners.Main.Mqtt.Number;

    /// <summary>Where HTTPS is served.</summary>
    public int HttpsPort => listeners.Main.Https.Number;

    /// <summary>Where containers find MQTT; null when the hub serves none.</summary>
    public IPEndPoint? ContainerEndPoint =>
        listeners.Containers is { } containers ? new(containers.Address, containers.Mqtt.Number) : null;

    /// <summary>The port of HTTPS there.</summary>
    public int? ContainerHttpsPort => listeners.Containers?.Https.Number;

    /// <summary>The address of both.</summary>
    public IPAddress Address => parts.Options.Address;

    /// <summary>Name of the IoT Hub that this plays.</summary>
    public string HubHostName => parts.Options.EffectiveHubHostName;

    /// <summary>Name of the gateway that this plays.</summary>
    public string GatewayHostName => parts.Options.EffectiveGatewayHostName;

    /// <summary>Who may connect.</summary>
    public IdentityRegistry Identities => parts.Identities;

    /// <summary>All twins. Writing the desired properties of <c>$edgeHub</c> changes the routes.</summary>
    public TwinStore Twins => parts.Twins;

    /// <summary>The routes in force, and the way to send a message along them.</summary>
    public MessageRouter Router => parts.Router;

    /// <summary>What went <c>$upstream</c>.</summary>
    public UpstreamLog Upstream => parts.Upstream;

    /// <summary>The page for developers.</summary>
    public HubPage Page { get; }

    /// <summary>Direct methods.</summary>
    public MethodBroker Methods => parts.Methods;

    /// <summary>Who is connected. A snapshot.</summary>
    public IReadOnlyList<HubIdentity> Connected => connections.Connected();

    /// <summary>The launcher's modules, for <c>GET /devhub/status</c>; null when nothing is launched.</summary>
    public IModuleStates? ModuleStates { get; set; }

    /// <summary>A connection string of the service, as it stands in <see cref="DevHubOptions.ConnectionStringFile"/>.</summary>
    public string ServiceConnectionString
    {
        get
        {
            // Official SDKs know no port; ours read it here.
            var host = HttpsPort == DevHubOptions.DefaultHttpsPort ? HubHostName : $"{HubHostName}:{HttpsPort}";
            var owner = Identities.Owner;
            return $"HostName={host};SharedAccessKeyName={owner.Name};SharedAccessKey={owner.Key}";
        }
    }

    /// <summary>Starts a hub. When this returns, both ports are served and the connection string is written.</summary>
    /// <param name="options">How.</param>
    /// <param name="certificate">The server's, with its key; signed by what clients trust.</param>
    /// <param name="loggers">For log lines.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Gives the start up.</param>
    /// <exception cref="MisconfiguredException">A port that was asked for may not be bound.</exception>
    public static Task<DevHubServer> StartAsync(
        DevHubOptions options,
        X509Certificate2 certificate,
        ILoggerFactory loggers,
        TimeProvider time,
        CancellationToken cancellationToken
    ) => HubStart.RunAsync(options, certificate, loggers, time, cancellationToken);

    /// <summary>
    /// Takes a deployment: makes the identities of the modules it names, and replaces the desired properties of those it has a
    /// section for (routes with <c>$edgeHub</c>'s). What it does not name stays as it is. All or nothing is checked first.
    /// </summary>
    /// <param name="modulesContent">The object under <c>modulesContent</c>.</param>
    /// <exception cref="HubException">It is wrong; nothing was changed.</exception>
    public void ApplyManifest(JsonObject modulesContent) => ApplyManifest(Identities.DeviceId, modulesContent);

    /// <summary>The same for any Edge device.</summary>
    /// <param name="deviceId">Which.</param>
    /// <param name="modulesContent">The object under <c>modulesContent</c>.</param>
    /// <exception cref="HubException">It is wrong; nothing was changed.</exception>
    public void ApplyManifest(string deviceId, JsonObject modulesContent)
    {
        var manifest = Manifest.Parse(modulesContent);
        Identities.RequireRoomForModules(deviceId, manifest.Modules);
        foreach (var (_, desired) in manifest.Desired)
        {
            TwinLimits.CheckContent(desired);
            TwinLimits.CheckSize(desired, TwinLimits.PropertiesBytes, "desired properties");
        }
        foreach (var module in manifest.Modules)
        {
            Identities.Ensure(new(deviceId, module));
        }
        foreach (var (module, desired) in manifest.Desired)
        {
            Twins.Write(new(deviceId, module), new(Tags: null, desired, Replace: true));
        }
    }

    /// <summary>Closes every connection and stops serving.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
        {
            return;
        }
        parts.Faults.Dispose();
        await connections.CloseAsync();
        using var limit = new CancellationTokenSource(StopTimeout);
        await app.StopAsync(limit.Token);
        await app.DisposeAsync();
        await services.DisposeAsync();
        if (edgeHub is not null)
        {
            await edgeHub.DisposeAsync();
        }
        parts.Messages.Dispose();
        parts.Record?.Dispose();
    }
}
