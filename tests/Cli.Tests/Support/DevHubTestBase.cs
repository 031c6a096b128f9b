using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using EdgeDm.DevHub;
using EdgeDm.DevHub.Certificates;
using EdgeDm.Hub;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.Cli.Tests;

/// <summary>A real dev hub in this process, the real program against it, and sessions of modules.</summary>
[UnsupportedOSPlatform("windows")]
public abstract class DevHubTestBase : IAsyncLifetime
{
    private protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder folder = new();
    private DevCertificateAuthority authority = null!;

    private protected DevHubServer Hub { get; private set; } = null!;

    private protected TemporaryFolder Folder => folder;

    /// <summary>The gateway's modules.</summary>
    private protected virtual IEnumerable<string> Modules => ["DeviceManagement"];

    /// <summary>How the hub is set up, but for its folder and its ports.</summary>
    private protected virtual DevHubOptions Options => new() { DataFolder = folder["data"] };

    public async ValueTask InitializeAsync()
    {
        authority = DevCertificateAuthority.Open(
            folder["ca"],
            ServerNames.ForDevHub(),
            TimeProvider.System,
            NullLogger.Instance
        );
        await StartAsync();
        foreach (var module in Modules)
        {
            Hub.Identities.EnsureModule(module);
        }
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Hub.DisposeAsync();
        authority.Dispose();
        folder.Dispose();
    }

    private protected async Task RestartAsync()
    {
        await Hub.DisposeAsync();
        await StartAsync();
    }

    private protected HubSessionOptions OptionsOf(string? module)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(authority.TrustBundlePem);
        return new()
        {
            HubHostName = Hub.HubHostName,
            GatewayHostName = Hub.GatewayHostName,
            Port = Hub.MqttPort,
            HttpsPort = Hub.HttpsPort,
            DeviceId = "gateway",
            ModuleId = module,
            Credential = HubCredential.FromKey(Hub.Identities.Ensure(new("gateway", module)).PrimaryKey),
            TrustedRoots = roots,
        };
    }

    private protected ValueTask<IoTHubSession> ConnectAsync(string? module = "DeviceManagement") =>
        IoTHubSession.ConnectAsync(OptionsOf(module));

    private protected Task<EdgeDmResult> RunAsync(params string[] args) =>
        EdgeDmProcess.RunAsync(
            new Dictionary<string, string>
            {
                ["EDGEDM_CONNECTION_STRING_FILE"] = folder["data/iothubowner.connection-string"],
                ["EDGEDM_CA_FILE"] = authority.TrustBundleFile,
            },
            "",
            args
        );

    private async Task StartAsync() =>
        Hub = await DevHubServer.StartAsync(
            Options with
            {
                MqttPort = 0,
                HttpsPort = 0,
            },
            authority.ServerCertificate,
            NullLoggerFactory.Instance,
            TimeProvider.System,
            CancellationToken.None
        );
}
