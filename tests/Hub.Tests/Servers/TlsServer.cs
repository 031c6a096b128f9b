using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests.Servers;

/// <summary>A loopback TLS listener that leaves what is spoken to the test, and sees the client's certificate.</summary>
internal sealed class TlsServer : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly List<IDisposable> accepted = [];
    private readonly X509Certificate2 certificate;

    /// <summary>Listens.</summary>
    public TlsServer(X509Certificate2? certificate = null)
    {
        this.certificate = certificate ?? TestAuthority.Default.Server;
        listener.Start();
    }

    /// <summary>Where it listens.</summary>
    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>True: clients are asked for a certificate, and any is taken.</summary>
    public bool AsksForCertificate { get; init; }

    /// <summary>How many connections were accepted.</summary>
    public int Accepted => accepted.Count;

    /// <summary>Options of a module behind this server.</summary>
    public HubSessionOptions Options =>
        new()
        {
            HubHostName = "contoso.azure-devices.net",
            GatewayHostName = "127.0.0.1",
            Port = Port,
            HttpsPort = Port,
            DeviceId = "gateway",
            ModuleId = "Module",
            Credential = HubCredential.FromKey(ScriptedHub.Key),
            TrustedRoots = TestAuthority.Default.Roots,
        };

    /// <summary>The next connection, before TLS.</summary>
    public async Task<TcpClient> AcceptTcpAsync()
    {
        using var patience = new CancellationTokenSource(ScriptedHub.Patience);
        var client = await listener.AcceptTcpClientAsync(patience.Token);
        client.NoDelay = true;
        accepted.Add(client);
        return client;
    }

    /// <summary>The next connection, after TLS.</summary>
    public async Task<(TcpClient Client, SslStream Tls)> AcceptAsync()
    {
        var client = await AcceptTcpAsync();
        var tls = new SslStream(client.GetStream());
        using var patience = new CancellationTokenSource(ScriptedHub.Patience);
        await tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(
                    certificate,
                    TestAuthority.Default.Roots,
                    offline: true
                ),
                ClientCertificateRequired = AsksForCertificate,
                // None, or any: the test looks at it.
                RemoteCertificateValidationCallback = (_, given, _, errors) =>
                    given is not null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable),
            },
            patience.Token
        );
        return (client, tls);
    }

    /// <summary>Speaks MQTT over a stream up to and including CONNACK and the subscription to twin answers.</summary>
    public static async Task<ScriptedConnection> WelcomeAsync(TcpClient client, Stream stream)
    {
        var connection = new ScriptedConnection(client, stream);
        connection.Connect = await connection.ExpectAsync<ConnectPacket>();
        await connection.SendAsync(new ConnackPacket(false, ConnackCode.Accepted).Write);
        await connection.GrantAsync(HubTopics.TwinResponseFilter);
        return connection;
    }

    /// <summary>Closes all.</summary>
    public ValueTask DisposeAsync()
    {
        listener.Dispose();
        accepted.ForEach(one => one.Dispose());
        return ValueTask.CompletedTask;
    }
}
