using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Certificates;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Twins;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.DevHub.Tests;

/// <summary>A dev hub on free ports of 127.0.0.1, with a certificate of the dev hub's own authority.</summary>
internal sealed class TestHub : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly Lazy<(X509Certificate2 Server, X509Certificate2 Root)> Certificates = new(() =>
    {
        var home = Directory.CreateTempSubdirectory("edgedm-hub-ca").FullName;
        var authority = DevCertificateAuthority.Open(
            home,
            ServerNames.ForDevHub(),
            TimeProvider.System,
            NullLogger.Instance
        );
        // Decoded on first use, and not safely by many hubs at once: Kestrel then saw no usage at all.
        _ = authority
            .ServerCertificate.Extensions.OfType<X509EnhancedKeyUsageExtension>()
            .Sum(extension => extension.EnhancedKeyUsages.Count);
        return (authority.ServerCertificate, X509Certificate2.CreateFromPem(authority.TrustBundlePem));
    });

    private readonly string folder;
    private readonly bool ownsFolder;

    private TestHub(DevHubServer server, DevHubOptions options, TimeProvider time, bool ownsFolder)
    {
        Server = server;
        Options = options;
        Time = time;
        folder = options.DataFolder;
        this.ownsFolder = ownsFolder;
        Http = MakeHttp();
    }

    public DevHubServer Server { get; }

    public DevHubOptions Options { get; }

    public TimeProvider Time { get; }

    /// <summary>With the service's token.</summary>
    public HttpClient Http { get; }

    public static async Task<TestHub> StartAsync(
        Func<DevHubOptions, DevHubOptions>? change = null,
        TimeProvider? time = null,
        string? dataFolder = null
    )
    {
        var options = new DevHubOptions
        {
            DataFolder = dataFolder ?? Directory.CreateTempSubdirectory("edgedm-hub").FullName,
            MqttPort = 0,
            HttpsPort = 0,
            HubHostName = "hub.example",
        };
        options = change?.Invoke(options) ?? options;
        time ??= TimeProvider.System;
        var server = await DevHubServer.StartAsync(
            options,
            Certificates.Value.Server,
            NullLoggerFactory.Instance,
            time,
            CancellationToken.None
        );
        return new(server, options, time, ownsFolder: dataFolder is null);
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
        if (ownsFolder)
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A module's token for as long as the test runs.</summary>
    public string Token(HubIdentity id, string? key = null, string? host = null, TimeSpan? life = null) =>
        SasToken.Make(
            $"{host ?? Options.EffectiveHubHostName}/{id.TopicRoot}",
            key ?? Server.Identities.Ensure(id).PrimaryKey,
            Time.GetUtcNow() + (life ?? TimeSpan.FromHours(1))
        );

    public HubIdentity Module(string name) => Server.Identities.EnsureModule(name).Id;

    /// <summary>Sets the routes, each by a name of its own.</summary>
    public void Route(params string[] routes)
    {
        var named = new JsonObject();
        foreach (var (index, route) in routes.Index())
        {
            named[$"r{index}"] = route;
        }
        Configure(named);
    }

    /// <summary>Sets the routes as they stand in a deployment.</summary>
    public void Configure(JsonObject routes, int timeToLiveSeconds = 7200) =>
        Server.Twins.Write(
            new(Options.DeviceId, "$edgeHub"),
            new TwinWrite(
                null,
                new JsonObject
                {
                    ["schemaVersion"] = "1.1",
                    ["routes"] = routes,
                    ["storeAndForwardConfiguration"] = new JsonObject { ["timeToLiveSecs"] = timeToLiveSeconds },
                },
                Replace: true
            )
        );

    /// <summary>A TLS connection to the MQTT port, its certificate checked.</summary>
    public Task<SslStream> OpenAsync(SslProtocols protocols = SslProtocols.None) =>
        OpenAsync(Server.MqttPort, protocols);

    /// <summary>The same to the HTTPS port.</summary>
    public Task<SslStream> OpenHttpsAsync() => OpenAsync(Server.HttpsPort, SslProtocols.None);

    private async Task<SslStream> OpenAsync(int port, SslProtocols protocols)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(Options.Address, port);
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "127.0.0.1",
                EnabledSslProtocols = protocols,
                CertificateChainPolicy = Trust(),
            }
        );
        return stream;
    }

    public static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");

    public HttpClient MakeHttp(string? authorization = "service", Action<SocketsHttpHandler>? change = null)
    {
        var handler = new SocketsHttpHandler
        {
            Expect100ContinueTimeout = Patience,
            SslOptions = { CertificateChainPolicy = Trust() },
        };
        change?.Invoke(handler);
        var http = new HttpClient(handler) { BaseAddress = new($"https://127.0.0.1:{Server.HttpsPort}") };
        if (authorization == "service")
        {
            var owner = Server.Identities.Owner;
            authorization = SasToken.Make(
                Options.EffectiveHubHostName,
                owner.Key,
                Time.GetUtcNow() + TimeSpan.FromHours(1),
                owner.Name
            );
        }
        if (authorization is not null)
        {
            http.DefaultRequestHeaders.Authorization = AuthenticationHeaderValue.Parse(authorization);
        }
        return http;
    }

    private static X509ChainPolicy Trust() =>
        new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { Certificates.Value.Root },
            RevocationMode = X509RevocationMode.NoCheck,
        };
}
