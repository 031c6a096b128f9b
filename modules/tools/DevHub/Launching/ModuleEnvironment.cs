using System.Globalization;
using EdgeDm.DevHub.Deployment;
using EdgeDm.DevHub.Workload;

namespace EdgeDm.DevHub.Launching;

/// <summary>Whose environment a module gets.</summary>
public enum EnvironmentFlavour
{
    /// <summary>edgeAgent's: <c>IOTEDGE_*</c> and the workload API.</summary>
    EdgeAgent,

    /// <summary>iotedgehubdev's: a connection string and a certificate file, no workload API.</summary>
    IotEdgeHubDev,
}

/// <summary>What a module must know of the hub.</summary>
/// <param name="GatewayHostName">Name to connect to.</param>
/// <param name="MqttPort">Port of MQTT over TLS.</param>
/// <param name="HttpsPort">Port of HTTPS.</param>
public sealed record HubEndpoint(string GatewayHostName, int MqttPort, int HttpsPort);

/// <summary>Makes the environment of modules.</summary>
public sealed class ModuleEnvironment
{
    /// <summary>Tells our modules the hub's port where it is not 8883, which SDKs have built in.</summary>
    public const string PortVariable = "EDGEDM_HUB_PORT";

    /// <summary>Tells them the port of its HTTPS where it is not 443, likewise.</summary>
    public const string HttpsPortVariable = "EDGEDM_HUB_HTTPS_PORT";

    private const string LogLevelVariable = "RuntimeLogLevel";

    private readonly EnvironmentFlavour flavour;
    private readonly HubEndpoint hub;
    private readonly IModuleKeys keys;
    private readonly IModuleView view;
    private readonly ILookup<string, KeyValuePair<string, string>> more;

    /// <summary>For all modules of a hub.</summary>
    /// <param name="flavour">Whose variables.</param>
    /// <param name="hub">Where the hub is.</param>
    /// <param name="keys">Identities of the modules.</param>
    /// <param name="view">By which paths modules see things.</param>
    /// <param name="more">Variables by module beside the manifest's, whose they replace.</param>
    internal ModuleEnvironment(
        EnvironmentFlavour flavour,
        HubEndpoint hub,
        IModuleKeys keys,
        IModuleView view,
        ILookup<string, KeyValuePair<string, string>>? more = null
    )
    {
        this.more = more ?? Array.Empty<KeyValuePair<string, string>>().ToLookup(_ => "");
        this.flavour = flavour;
        this.hub = hub;
        this.keys = keys;
        this.view = view;
    }

    /// <summary>True when the modules need a workload socket.</summary>
    public bool HasWorkloadApi => flavour == EnvironmentFlavour.EdgeAgent;

    /// <summary>
    /// The module's variables, without those that every program needs. The manifest's come first, the hub's last and win;
    /// only <c>RuntimeLogLevel</c> may be set by the manifest.
    /// </summary>
    /// <exception cref="ArgumentException">The hub does not know the module, or a volume's name is bad.</exception>
    public SortedDictionary<string, string> Of(ModuleDeployment module)
    {
        var asSeen = view.ValuesOf(module);
        var result = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in module.CreateOptions.Env.Concat(module.Env))
        {
            result[name] = asSeen(value);
        }
        foreach (var (name, value) in more[module.Id])
        {
            result[name] = value;
        }
        foreach (var (name, value) in Runtime(module.Id))
        {
            result[name] = value;
        }
        TellPort(PortVariable, hub.MqttPort, DevHubOptions.DefaultMqttPort);
        TellPort(HttpsPortVariable, hub.HttpsPort, DevHubOptions.DefaultHttpsPort);
        return result;

        void TellPort(string variable, int port, int builtIn)
        {
            if (port != builtIn)
            {
                result[variable] = port.ToString(CultureInfo.InvariantCulture);
            }
        }

        IEnumerable<KeyValuePair<string, string>> Runtime(string id)
        {
            var key = keys.Find(id) ?? throw new ArgumentException($"The hub knows no module '{id}'.");
            return flavour == EnvironmentFlavour.EdgeAgent
                ? EdgeAgent(id, key, result.GetValueOrDefault(LogLevelVariable) ?? "Information")
                : IotEdgeHubDev(id, key);
        }
    }

    private Dictionary<string, string> EdgeAgent(string id, ModuleKey key, string logLevel) =>
        new(StringComparer.Ordinal)
        {
            ["IOTEDGE_WORKLOADURI"] = "unix://" + view.WorkloadSocket(id),
            ["IOTEDGE_AUTHSCHEME"] = "sasToken",
            ["IOTEDGE_MODULEGENERATIONID"] = key.GenerationId,
            ["IOTEDGE_IOTHUBHOSTNAME"] = keys.HubHostName,
            ["IOTEDGE_GATEWAYHOSTNAME"] = hub.GatewayHostName,
            ["IOTEDGE_DEVICEID"] = keys.DeviceId,
            ["IOTEDGE_MODULEID"] = id,
            ["IOTEDGE_APIVERSION"] = "2018-06-28",
            [LogLevelVariable] = logLevel,
        };

    private Dictionary<string, string> IotEdgeHubDev(string id, ModuleKey key) =>
        new(StringComparer.Ordinal)
        {
            ["EdgeHubConnectionString"] =
                $"HostName={keys.HubHostName};GatewayHostName={hub.GatewayHostName};DeviceId={keys.DeviceId};ModuleId={id};SharedAccessKey={Convert.ToBase64String(key.Primary.Span)}",
            ["EdgeModuleCACertificateFile"] = view.TrustBundleFile,
        };
}
