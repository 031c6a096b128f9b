using System.Net;
using EdgeDm.DevHub.CloudMessages;
using EdgeDm.DevHub.Configurations;
using EdgeDm.DevHub.Faults;
using EdgeDm.DevHub.Files;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Jobs;
using EdgeDm.DevHub.Nested;
using EdgeDm.DevHub.Page;
using EdgeDm.DevHub.Queries;

namespace EdgeDm.DevHub;

/// <summary>Whose quirks the hub shows where edgeHub and IoT Hub differ.</summary>
public enum HubProfile
{
    /// <summary>As edgeHub: no <c>$version</c> in the answer to a reported patch, unknown topics are acknowledged and dropped.</summary>
    EdgeHub,

    /// <summary>
    /// As the IoT Hub above an edgeHub that somebody else runs: <c>$version</c> in that answer, an unknown topic closes the connection. Nothing
    /// is routed and nothing is launched; <c>$edgeHub</c> and its modules are others' to play.
    /// </summary>
    IoTHub,
}

/// <summary>How a dev hub is set up. Immutable; every bound has a default that suits a developer's machine.</summary>
public sealed record DevHubOptions
{
    /// <summary>Port of MQTT over TLS that every SDK has built in.</summary>
    public const int DefaultMqttPort = 8883;

    /// <summary>Port of HTTPS that every SDK has built in.</summary>
    public const int DefaultHttpsPort = 443;

    /// <summary>Folder of keys, twins and the connection string. Made when missing, for this user only.</summary>
    public required string DataFolder { get; init; }

    /// <summary>The one address to listen at. A second instance takes 127.0.0.2.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>
    /// The address that this machine has in the network of the modules' containers; null = there is none. Served, too, at the ports
    /// that every SDK has built in where these may be bound.
    /// </summary>
    public IPAddress? ContainerAddress { get; init; }

    /// <summary>
    /// MQTT port; 0 = any free one. Null = <see cref="DefaultMqttPort"/>, or <see cref="MqttFallbackPort"/> or any free
    /// one with a warning when that may not be bound. A given port is bound or the start fails.
    /// </summary>
    public int? MqttPort { get; init; }

    /// <summary>HTTPS port, in the manner of <see cref="MqttPort"/> with <see cref="DefaultHttpsPort"/>.</summary>
    public int? HttpsPort { get; init; }

    /// <summary>Tried when 8883 may not be bound.</summary>
    public int MqttFallbackPort { get; init; } = 18883;

    /// <summary>Tried when 443 may not be bound.</summary>
    public int HttpsFallbackPort { get; init; } = 8443;

    /// <summary>Id of the gateway device.</summary>
    public string DeviceId { get; init; } = "gateway";

    /// <summary>Name of the IoT Hub that this plays; null = the address as text, which clients can always reach.</summary>
    public string? HubHostName { get; init; }

    /// <summary>Name of the gateway that this plays; null = the address as text.</summary>
    public string? GatewayHostName { get; init; }

    /// <summary>Which peer to imitate where they differ.</summary>
    public HubProfile Profile { get; init; } = HubProfile.EdgeHub;

    /// <summary>A client must send CONNECT within this time (edgeHub's <c>ConnectArrivalTimeout</c>).</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Keep-alive of a client that names none, and the most that any client gets (edgeHub's <c>MaxKeepAliveTimeout</c>).</summary>
    public TimeSpan LongestKeepAlive { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>An input message not acknowledged within this time is sent again (edgeHub's <c>MessageAckTimeoutSecs</c>).</summary>
    public TimeSpan MessageAckTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Largest MQTT packet taken, headers included; a larger one closes the connection (edgeHub's <c>MaxInboundMessageSize</c>).</summary>
    public int LargestPacket { get; init; } = 256 * 1024;

    /// <summary>Packets that may wait for a client that does not read; one more closes its connection.</summary>
    public int LongestSendQueue { get; init; } = 1024;

    /// <summary>Topic filters per client (edgeHub has no bound, IoT Hub 5); one more is refused in the SUBACK.</summary>
    public int MostSubscriptions { get; init; } = 50;

    /// <summary>Bytes that may wait for one input of one module; a sender whose message does not fit is disconnected, as at a full edgeHub.</summary>
    public long LargestQueue { get; init; } = 64 * 1024 * 1024;

    /// <summary>Messages that wait outlive the hub's process: each is on disk before its sender hears that it was taken. False = in memory.</summary>
    public bool DurableQueues { get; init; } = true;

    /// <summary>Bytes of messages that left, beyond which their file is written anew.</summary>
    public long JournalGarbage { get; init; } = 16 * 1024 * 1024;

    /// <summary>Messages kept of what went <c>$upstream</c>; older ones are forgotten.</summary>
    public int UpstreamKept { get; init; } = 10_000;

    /// <summary>How many devices and modules there may be.</summary>
    public IdentityLimits Identities { get; init; } = new();

    /// <summary>How much an edgeHub is told at once of what is below it.</summary>
    public ScopeLimits Scopes { get; init; } = new();

    /// <summary>How large queries and pages of their answers may be.</summary>
    public QueryLimits Queries { get; init; } = QueryLimits.Default;

    /// <summary>How many jobs there may be and how fast they go.</summary>
    public JobLimits Jobs { get; init; } = new();

    /// <summary>How much the page shows, and to how many.</summary>
    public PageLimits Page { get; init; } = new();

    /// <summary>How many configurations there may be and how often they are looked at.</summary>
    public ConfigurationLimits Configurations { get; init; } = new();

    /// <summary>What may wait for a device from the cloud.</summary>
    public CloudMessageLimits CloudMessages { get; init; } = new();

    /// <summary>How much devices may upload.</summary>
    public FileUploadLimits Files { get; init; } = new();

    /// <summary>How many faults there may be on purpose, and how bad.</summary>
    public FaultLimits Faults { get; init; } = new();

    /// <summary>Where <see cref="Recording.TrafficRecord"/> writes what left the modules for the cloud; null = nowhere.</summary>
    public string? RecordFile { get; init; }

    /// <summary>Where the service's connection string (policy <c>iothubowner</c>) is written at each start, mode 0600.</summary>
    public string ConnectionStringFile => Path.Combine(DataFolder, "iothubowner.connection-string");

    /// <summary><see cref="HubHostName"/> with its default.</summary>
    public string EffectiveHubHostName => HubHostName ?? Address.ToString();

    /// <summary><see cref="GatewayHostName"/> with its default.</summary>
    public string EffectiveGatewayHostName => GatewayHostName ?? Address.ToString();
}
