using System.Net;
using System.Security.Cryptography.X509Certificates;
using EdgeDm.Hub.Internal;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Hub;

/// <summary>Everything a session needs, fixed before it begins.</summary>
public sealed record HubSessionOptions
{
    /// <summary>MQTT over TLS, as edgeHub and IoT Hub listen.</summary>
    public const int DefaultPort = 8883;

    /// <summary>The IoT hub's host name: part of the user name and of the token's audience, also behind a gateway.</summary>
    public required string HubHostName { get; init; }

    /// <summary>Where to connect and whose name the certificate must carry; null = <see cref="HubHostName"/>.</summary>
    public string? GatewayHostName { get; init; }

    /// <summary>TCP port.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>The device's id, as it is: never encoded.</summary>
    public required string DeviceId { get; init; }

    /// <summary>The module's id; null for a device.</summary>
    public string? ModuleId { get; init; }

    /// <summary>Proves the identity. Asked anew for each connection.</summary>
    public required HubCredential Credential { get; init; }

    /// <summary>The only roots that the hub's certificate may chain to; null = those of the system. No store is written.</summary>
    public X509Certificate2Collection? TrustedRoots { get; init; }

    /// <summary>Makes the connection in place of TCP; TLS is laid over it. For proxies and tests.</summary>
    public Func<DnsEndPoint, CancellationToken, ValueTask<Stream>>? ConnectCallback { get; init; }

    /// <summary>Whole seconds, 1 s to 600 s (edgeHub's longest). The session ends after 1.5 times this without a sign of life.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>For all of connecting: TCP, TLS, CONNACK, first subscription.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>For each acknowledgement or answer; <see cref="Timeout.InfiniteTimeSpan"/> = for ever.</summary>
    public TimeSpan OperationTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>For a clean goodbye.</summary>
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

    /// <summary>Told to the hub as the client's type.</summary>
    public string? ProductInfo { get; init; }

    /// <summary>The clock behind keep-alive, timeouts and tokens.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Null = no log.</summary>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <summary>
    /// From <c>HostName=..;[GatewayHostName=..;]DeviceId=..;[ModuleId=..;]SharedAccessKey=..</c> (or <c>SharedAccessSignature</c>).
    /// </summary>
    /// <exception cref="FormatException">Names the part that is wrong, never a key.</exception>
    public static HubSessionOptions FromConnectionString(string connectionString) =>
        ConnectionString.Parse(connectionString);

    /// <summary>
    /// From the environment as edgeAgent sets it (<c>IOTEDGE_*</c>, workload API) or as iotedgehubdev does
    /// (<c>EdgeHubConnectionString</c> or <c>IotHubConnectionString</c>, <c>EdgeModuleCACertificateFile</c>, which come first).
    /// <c>EDGEDM_HUB_PORT</c> names another port than 8883.
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

    internal void Check()
    {
        ArgumentException.ThrowIfNullOrEmpty(HubHostName);
        ArgumentException.ThrowIfNullOrEmpty(DeviceId);
        ArgumentNullException.ThrowIfNull(Credential);
        CheckRange(nameof(Port), Port, 1, ushort.MaxValue);
        CheckRange(nameof(KeepAlive), KeepAlive.TotalSeconds, 1, 600);
        CheckRange(nameof(MaxInFlight), MaxInFlight, 1, 10_000);
        CheckRange(nameof(MaxMessageBytes), MaxMessageBytes, 256, 256 * 1024 * 1024);
        CheckRange(nameof(MaxUnreadInputs), MaxUnreadInputs, 1, 10_000);
        CheckRange(nameof(MaxUnreadMethods), MaxUnreadMethods, 1, 10_000);
        CheckRange(nameof(MaxUnreadPatches), MaxUnreadPatches, 1, 10_000);
    }

    private static void CheckRange(string name, double value, double least, double most)
    {
        if (value < least || value > most)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be from {least} to {most}.");
        }
    }
}
