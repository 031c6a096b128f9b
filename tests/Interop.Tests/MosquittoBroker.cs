using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using EdgeDm.Hub;
using EdgeDm.Testing;

namespace EdgeDm.Interop.Tests;

/// <summary>Debian's mosquitto at free ports of this machine with TLS: one that takes anybody, and one that checks user and password.</summary>
public sealed class MosquittoBroker : IAsyncLifetime
{
    /// <summary>For each step of a test.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private const string Host = "127.0.0.1";
    private const string HubName = "contoso.azure-devices.net";
    private const string Key = "c2VjcmV0IG9mIHRoZSB0ZXN0";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("mosq");
    private readonly int port = FreePort();
    private readonly int checkedPort = FreePort();
    private Process? server;

    /// <summary>Why there is none and how to mend it; null = there is.</summary>
    public static string? Obstacle { get; } =
        Mosquitto.Server is null || Mosquitto.Publisher is null
            ? "mosquitto is not installed. Run ./scripts/test Interop as root, or apt-get install mosquitto mosquitto-clients."
            : null;

    private string RootFile => Path.Combine(folder.FullName, "root.pem");

    /// <summary>A token that always is the same, so that a broker can know it as a password.</summary>
    private static string Token => "SharedAccessSignature sr=contoso&sig=c2lnbmF0dXJl&se=4102444800";

    public async ValueTask InitializeAsync()
    {
        if (Obstacle is not null)
        {
            return; // The tests say so.
        }
        var authority = TestAuthority.Default;
        await File.WriteAllTextAsync(RootFile, authority.RootPem);
        await File.WriteAllTextAsync(PathOf("server.pem"), authority.Server.ExportCertificatePem());
        using (
            var key = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(
                authority.Server
            )!
        )
        {
            await File.WriteAllTextAsync(PathOf("server.key"), key.ExportPkcs8PrivateKeyPem());
        }
        await File.WriteAllTextAsync(PathOf("users"), $"{UserNameOf("Alpha")}:{Token}\n");
        await RunAsync("mosquitto_passwd", "-U", PathOf("users"));
        await File.WriteAllTextAsync(PathOf("mosquitto.conf"), Configuration());
        server = Process.Start(Start(Mosquitto.Server!, "-c", PathOf("mosquitto.conf")))!;
        await ServesAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            server.Kill();
            await server.WaitForExitAsync(CancellationToken.None);
            server.Dispose();
            server = null;
        }
        if (folder.Exists)
        {
            folder.Delete(recursive: true);
            folder.Refresh();
        }
        GC.SuppressFinalize(this);
    }

    /// <summary>A session's options for this broker.</summary>
    /// <param name="module">Null = the device itself.</param>
    /// <param name="checksPasswords">At the port where only <c>Alpha</c> may connect.</param>
    public HubSessionOptions Options(string? module, bool checksPasswords = false) =>
        new()
        {
            HubHostName = HubName,
            GatewayHostName = Host,
            Port = checksPasswords ? checkedPort : port,
            DeviceId = "gateway",
            ModuleId = module,
            Credential = checksPasswords ? HubCredential.FromToken(Token) : HubCredential.FromKey(Key),
            TrustedRoots = TestAuthority.Default.Roots,
            CleanSession = true,
        };

    /// <summary>Publishes by <c>mosquitto_pub</c>, QoS 1, and returns when the broker has it.</summary>
    public Task PublishAsync(string topic, string payload) =>
        RunAsync(Mosquitto.Publisher!, [.. ClientArguments, "-q", "1", "-t", topic, "-m", payload]);

    /// <summary>Subscribes by <c>mosquitto_sub</c>, and returns when the broker has granted it.</summary>
    internal Task<MosquittoSubscriber> SubscribeAsync(string filter) =>
        MosquittoSubscriber.StartAsync(
            Start(
                "stdbuf",
                ["-oL", "mosquitto_sub", .. ClientArguments, "-d", "-q", "1", "-F", "message %t %p", "-t", filter]
            )
        );

    private IEnumerable<string> ClientArguments => ["-h", Host, "-p", $"{port}", "--cafile", RootFile];

    private string Configuration() =>
        $"""
            per_listener_settings true
            user {Environment.UserName}
            log_type error
            listener {port} {Host}
            allow_anonymous true
            certfile {PathOf("server.pem")}
            keyfile {PathOf("server.key")}
            listener {checkedPort} {Host}
            allow_anonymous false
            password_file {PathOf("users")}
            certfile {PathOf("server.pem")}
            keyfile {PathOf("server.key")}

            """;

    private static string UserNameOf(string module) =>
        $"{HubName}/gateway/{module}/?api-version=2021-04-12&DeviceClientType=EdgeDm";

    private async Task ServesAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        using var period = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(Host, checkedPort, patience.Token); // The later of the two.
                return;
            }
            catch (SocketException) when (!server!.HasExited)
            {
                await period.WaitForNextTickAsync(patience.Token);
            }
        }
    }

    private string PathOf(string file) => Path.Combine(folder.FullName, file);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(Start(program, arguments))!;
        await process.WaitForExitAsync().WaitAsync(Patience);
        process.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', arguments)}");
    }

    private static ProcessStartInfo Start(string program, params string[] arguments) =>
        new(program, arguments) { UseShellExecute = false };

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>A running <c>mosquitto_sub</c>.</summary>
internal sealed class MosquittoSubscriber : IAsyncDisposable
{
    private const string Message = "message ";

    private readonly Process process;
    private readonly Channel<string> messages = Channel.CreateUnbounded<string>();
    private readonly TaskCompletionSource granted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private MosquittoSubscriber(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => Take(line.Data ?? "");
        process.BeginOutputReadLine();
    }

    public static async Task<MosquittoSubscriber> StartAsync(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        var subscriber = new MosquittoSubscriber(Process.Start(start)!);
        try
        {
            await subscriber.granted.Task.WaitAsync(MosquittoBroker.Patience);
            return subscriber;
        }
        catch
        {
            await subscriber.DisposeAsync();
            throw;
        }
    }

    /// <summary>The next message.</summary>
    public async Task<(string Topic, string Payload)> NextAsync()
    {
        using var patience = new CancellationTokenSource(MosquittoBroker.Patience);
        var parts = (await messages.Reader.ReadAsync(patience.Token)).Split(' ', 2);
        return (parts[0], parts[1]);
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync(CancellationToken.None);
        process.Dispose();
    }

    // With -d it tells each packet, too.
    private void Take(string line)
    {
        if (line.StartsWith(Message, StringComparison.Ordinal))
        {
            messages.Writer.TryWrite(line[Message.Length..]);
        }
        else if (line.StartsWith("Subscribed", StringComparison.Ordinal))
        {
            granted.TrySetResult();
        }
    }
}
