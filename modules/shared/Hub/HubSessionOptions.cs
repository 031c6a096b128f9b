using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using EdgeDm.Hub.Internal;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Hub;

/// <summary>Everything a session needs, fixed before it begins.</summary>
public sealed record HubSessionOptions
{
    /// <summary>MQTT over TLS, as edgeHub and IoT Hub listen.</summary>
    public const int DefaultPort = 8883;

    /// <summary>HTTPS, and MQTT over WebSocket.</summary>
    public const int DefaultHttpsPort = 443;

    /// <summary>Most characters of a device's or module's id (IoT Hub, identity registry).</summary>
    public const int MaxIdLength = 128;

    /// <summary>Most characters of <see cref="ProductInfo"/>.</summary>
    public const int MaxProductInfoLength = 1024;

    /// <summary>Most characters of <see cref="ModelId"/> (DTDL 3).</summary>
    public const int MaxModelIdLength = 2048;

    internal const string ApiVersion = "2021-04-12";

    private readonly int? port;

    /// <summary>The IoT hub's host name: part of the user name and of the token's audience, also behind a gateway.</summary>
    public required string HubHostName { get; init; }

    /// <summary>Where to connect and whose name the certificate must carry; null = <see cref="HubHostName"/>.</summary>
    public string? GatewayHostName { get; init; }

    /// <summary>How MQTT travels.</summary>
    public HubTransport Transport { get; init; } = HubTransport.Tcp;

    /// <summary>MQTT's TCP port, 1 to 65535; unless set that of <see cref="Transport"/>: 8883, or 443 for WebSocket.</summary>
    public int Port
    {
        get => port ?? Transport.DefaultPort;
        init => port = value;
    }

    /// <summary>The TCP port of HTTPS calls, 1 to 65535.</summary>
    public int HttpsPort { get; init; } = DefaultHttpsPort;

    /// <summary>The device's id, as it is: never encoded. At most 128 characters of IoT Hub's set.</summary>
    public required string DeviceId { get; init; }

    /// <summary>The module's id, of the same form; null for a device.</summary>
    public string? ModuleId { get; init; }

    /// <summary>
    /// Proves the identity. Asked anew for each connection and each HTTPS call. Null = the client certificate of <see cref="Tls"/> does,
    /// which must then have one. A token beside a client certificate is legal: edgeHub then heeds the token.
    /// </summary>
    public HubCredential? Credential { get; init; }

    /// <summary>
    /// TLS settings for every connection of the session; copied, never changed. <c>TargetHost</c> is filled in if null. Null = TLS 1.2
    /// or later, and the trust that <see cref="TrustedRoots"/> tells.
    /// </summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>
    /// The only roots that the hub's certificate may chain to; null = those of the system. No store is written. Goes together with
    /// <see cref="Tls"/> unless that has trust of its own (a chain policy or a validation callback).
    /// </summary>
    public X509Certificate2Collection? TrustedRoots { get; init; }

    /// <summary>
    /// An HTTP proxy for every connection of the session, MQTT's, WebSocket's and HTTPS's alike, by a tunnel (CONNECT). For example
    /// <c>new WebProxy("http://proxy:3128")</c>, with its bypass list and Basic credentials; a name and a password in the proxy's
    /// address count as well. Null = none: the environment's is not asked. Not together with <see cref="ConnectCallback"/>.
    /// A proxy of another kind is a <see cref="NotSupportedException"/> when connecting.
    /// </summary>
    public IWebProxy? Proxy { get; init; }

    /// <summary>Makes each connection in place of TCP; TLS is laid over it. Gets the hub's name and port.</summary>
    public Func<DnsEndPoint, CancellationToken, ValueTask<Stream>>? ConnectCallback { get; init; }

    /// <summary>Whole seconds, 1 s to 600 s (edgeHub's longest). The session ends after 1.5 times this without a sign of life.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>For all of connecting: token, TCP, proxy, TLS, CONNACK, first subscription. Above 0, at most a day.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>For each acknowledgement or answer. Above 0, at most a day; <see cref="Timeout.InfiniteTimeSpan"/> = for ever.</summary>
    public TimeSpan OperationTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>For a clean goodbye. 0 to a day.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Most publishes without acknowledgement; further ones wait. 1 to 10,000.</summary>
    public int MaxInFlight { get; init; } = 64;

    /// <summary>Most bytes of a message, topic and headers included, either way. edgeHub and IoT Hub close on more than the default.</summary>
    public int MaxMessageBytes { get; init; } = 262_144;

    /// <summary>Most input messages that wait for a reader. edgeHub sends one at a time, at most 10 unacknowledged.</summary>
    public int MaxUnreadInputs { get; init; } = 64;

    /// <summary>Most method requests that wait for a reader.</summary>
    public int MaxUnreadMethods { get; init; } = 64;

    /// <summary>Most desired patches that wait for a reader.</summary>
    public int MaxUnreadPatches { get; init; } = 256;

    /// <summary>True: the hub forgets this client's subscriptions when it goes.</summary>
    public bool CleanSession { get; init; }

    /// <summary>Told to the hub as the client's type. At most <see cref="MaxProductInfoLength"/> characters.</summary>
    public string? ProductInfo { get; init; }

    /// <summary>
    /// The Plug and Play model that the client implements, for example <c>dtmi:contoso:Thermostat;1</c>; null = none. At most
    /// <see cref="MaxModelIdLength"/> characters.
    /// </summary>
    public string? ModelId { get; init; }

    /// <summary>The clock behind keep-alive, timeouts and tokens.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Null = no log.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>
    /// From <c>HostName=..;[GatewayHostName=..;]DeviceId=..;[ModuleId=..;]</c> and one credential: <c>SharedAccessKey=..</c> (with
    /// <c>SharedAccessKeyName=..</c> when it is a policy's), <c>SharedAccessSignature=..</c> or <c>x509=true</c>. Names in any case,
    /// each at most once, in any order, at most 4096 characters in all.
    /// </summary>
    /// <param name="connectionString">As IoT Hub shows it.</param>
    /// <param name="tls">Becomes <see cref="Tls"/>; <c>x509=true</c> needs it, with a client certificate.</param>
    /// <exception cref="FormatException">Names the part that is wrong, unknown, missing or given twice, never a key.</exception>
    public static HubSessionOptions FromConnectionString(
        string connectionString,
        SslClientAuthenticationOptions? tls = null
    ) => ConnectionString.Parse(connectionString, tls);

    /// <summary>
    /// From the environment as edgeAgent sets it (<c>IOTEDGE_*</c>, workload API) or as iotedgehubdev does
    /// (<c>EdgeHubConnectionString</c> or <c>IotHubConnectionString</c>, <c>EdgeModuleCACertificateFile</c>, which come first).
    /// <c>EDGEDM_HUB_PORT</c> names another port than 8883, <c>EDGEDM_HUB_HTTPS_PORT</c> another than 443.
    /// </summary>
    /// <param name="environment">Reads a variable, null when absent; null = the process's.</param>
    /// <param name="cancellationToken">Ends the call to the workload API.</param>
    /// <exception cref="EdgeEnvironmentException">A variable is missing or wrong.</exception>
    /// <exception cref="WorkloadException">The workload API did not give the trust bundle.</exception>
    public static ValueTask<HubSessionOptions> FromEdgeEnvironmentAsync(
        Func<string, string?>? environment = null,
        CancellationToken cancellationToken = default
    ) => EdgeEnvironment.ReadAsync(environment ?? Environment.GetEnvironmentVariable, cancellationToken);

    /// <summary>The module's id in the same environment, without asking anyone.</summary>
    /// <exception cref="EdgeEnvironmentException">A variable is missing or wrong.</exception>
    public static string ModuleIdFromEdgeEnvironment(Func<string, string?>? environment = null) =>
        EdgeEnvironment.ModuleIdOf(environment ?? Environment.GetEnvironmentVariable);

    internal string ClientId => ModuleId is null ? DeviceId : $"{DeviceId}/{ModuleId}";

    internal string TargetHost => GatewayHostName ?? HubHostName;

    /// <summary>Ids as they are; what follows the question mark is encoded (IoT Hub, MQTT, "Using the MQTT protocol directly").</summary>
    internal string UserName =>
        $"{HubHostName}/{ClientId}/?api-version={ApiVersion}&DeviceClientType={Uri.EscapeDataString(Product)}"
        + (ModelId is null ? "" : $"&model-id={Uri.EscapeDataString(ModelId)}");

    internal string Product => ProductInfo ?? "EdgeDm";

    /// <summary>The token of one connection or call; null = the client certificate is enough.</summary>
    internal ValueTask<HubPassword?> ProveAsync(CancellationToken cancellationToken) =>
        Credential is { } credential
            ? credential.GetAsync(new(HubHostName, DeviceId, ModuleId, TimeProvider.GetUtcNow()), cancellationToken)
            : ValueTask.FromResult<HubPassword?>(null);

    internal void Check() => OptionsCheck.Check(this);
}
