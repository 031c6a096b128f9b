namespace EdgeDm.Contracts;

/// <summary>Names that modules share: inputs, outputs, and the property that names a message's schema.</summary>
public static class Routes
{
    /// <summary>Application property of every message: <c>edgedm.&lt;name&gt;.v1</c>.</summary>
    public const string SchemaProperty = "schema";

    /// <summary>DeviceManagement to FirmwareDownload and back; the same name on both sides.</summary>
    public const string Downloads = "downloads";

    /// <summary>DeviceManagement to Telemetry: what to observe.</summary>
    public const string Observations = "observations";

    /// <summary>Telemetry to DeviceManagement and upstream: values.</summary>
    public const string Notifications = "notifications";

    /// <summary>Job requests from other modules to DeviceManagement.</summary>
    public const string Commands = "commands";

    /// <summary>DeviceManagement's answers to job requests.</summary>
    public const string CommandResults = "commandResults";

    /// <summary>DeviceManagement to upstream: job events.</summary>
    public const string Events = "events";
}

/// <summary>Schema names, the value of <see cref="Routes.SchemaProperty"/>.</summary>
public static class Schemas
{
    public const string DownloadRequest = "edgedm.downloadRequest.v1";
    public const string DownloadCancel = "edgedm.downloadCancel.v1";
    public const string DownloadProgress = "edgedm.downloadProgress.v1";
    public const string DownloadCompleted = "edgedm.downloadCompleted.v1";
    public const string DownloadFailed = "edgedm.downloadFailed.v1";

    /// <summary>Asks a module whether it works; the health gate's evidence. Answered with <see cref="Pong"/> on the reverse route.</summary>
    public const string Ping = "edgedm.ping.v1";
    public const string Pong = "edgedm.pong.v1";

    public const string Observations = "edgedm.observations.v1";
    public const string Notification = "edgedm.notification.v1";
    public const string JobRequest = "edgedm.jobRequest.v1";
    public const string JobResult = "edgedm.jobResult.v1";
    public const string JobEvent = "edgedm.jobEvent.v1";
}

/// <summary>Are you there? Travels the same routes as the work, so an answer proves the route.</summary>
/// <param name="PingId">Any text; comes back in the answer.</param>
public sealed record Ping(string PingId);

/// <summary>The answer to a <see cref="Ping"/>.</summary>
/// <param name="PingId">The ping's id.</param>
/// <param name="Module">The answering module's id.</param>
/// <param name="Version">The answering program's version.</param>
public sealed record Pong(string PingId, string Module, string Version);
