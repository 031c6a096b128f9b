using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace EdgeDm.Contracts;

/// <summary>
/// HostAccess's HTTP interface, version 1. JSON both ways. A refusal is 400, 403, 404, 409, 413 or 429 with an
/// <see cref="ErrorObject"/>. Socket <c>verbs</c> offers everything, socket <c>inventory</c> only what reads.
/// Both sides say their <see cref="HostApiVersion"/>; a caller too far away is refused with <c>hostApiVersion</c>, but for <see cref="Root"/>.
/// </summary>
public static class HostApi
{
    /// <summary>GET: <see cref="HostAccessInfo"/>. Both sockets.</summary>
    public const string Root = "/v1";

    /// <summary>GET: <see cref="HostInventory"/>. Both sockets.</summary>
    public const string Inventory = "/v1/inventory";

    /// <summary>POST <see cref="UpdateVerification"/>: 200 <see cref="VerifiedUpdate"/>, or the refusal. Changes nothing.</summary>
    public const string VerifyUpdate = "/v1/updates/verify";

    /// <summary>POST <see cref="UpdateSubmission"/>: 202 <see cref="UpdateStatus"/>. A known command id with the same content answers with its present status.</summary>
    public const string Updates = "/v1/updates";

    /// <summary>POST <see cref="RebootRequest"/>: 202 <see cref="RebootStatus"/>, answered before the host goes down.</summary>
    public const string Reboot = "/v1/reboot";

    /// <summary>GET: <see cref="HostTime"/>, both sockets. POST <see cref="TimeRequest"/>: 200 <see cref="TimeStatus"/>.</summary>
    public const string Time = "/v1/time";

    /// <summary>POST <see cref="FactoryResetRequest"/>: 202 <see cref="FactoryResetStatus"/>, answered before anything is erased.</summary>
    public const string FactoryReset = "/v1/factory-reset";

    /// <summary>
    /// POST <see cref="RootListSubmission"/>: 200 <see cref="RootListStatus"/>, also for the list that is stored. GET:
    /// <see cref="RootListStatus"/>. There when <see cref="HostAccessInfo.Verbs"/> names <c>roots</c>.
    /// </summary>
    public const string Roots = "/v1/roots";

    /// <summary>
    /// GET: <see cref="UpdateStatus"/>. With <paramref name="afterRevision"/> the answer waits up to
    /// <paramref name="waitSeconds"/> (0 to 30) for a newer revision.
    /// </summary>
    public static string Update(string commandId, long? afterRevision = null, int waitSeconds = 0) =>
        afterRevision is { } revision
            ? $"{Updates}/{Uri.EscapeDataString(commandId)}?afterRevision={revision}&waitSeconds={waitSeconds}"
            : $"{Updates}/{Uri.EscapeDataString(commandId)}";

    /// <summary>POST, empty body: 200 <see cref="UpdateStatus"/>; 409 <c>jobNotCancellable</c> once a step runs that cannot be left.</summary>
    public static string CancelUpdate(string commandId) => $"{Updates}/{Uri.EscapeDataString(commandId)}/cancel";

    /// <summary>POST <see cref="HealthEvidence"/>: 200 <see cref="UpdateStatus"/>.</summary>
    public static string Evidence(string commandId) => $"{Updates}/{Uri.EscapeDataString(commandId)}/evidence";

    /// <summary>GET: <see cref="RebootStatus"/>; 404 when the id is not known.</summary>
    public static string RebootCommand(string commandId) => $"{Reboot}/{Uri.EscapeDataString(commandId)}";

    /// <summary>GET: <see cref="FactoryResetStatus"/>; 404 when the id is not known.</summary>
    public static string FactoryResetCommand(string commandId) => $"{FactoryReset}/{Uri.EscapeDataString(commandId)}";
}

/// <summary>Who answers and what this host can do.</summary>
/// <param name="Program">Always <c>EdgeDm.HostAccess</c>.</param>
/// <param name="Version">Program version.</param>
/// <param name="ApiVersions">Versions of this interface that it speaks; <c>v1</c>.</param>
/// <param name="HostKind"><c>linux</c>, <c>windows</c> or <c>simulated</c>.</param>
/// <param name="HostInstanceId">Changes with every start of the host, and only then. Opaque.</param>
/// <param name="Verbs">Verbs that host-access.json allows: <c>update</c>, <c>reboot</c>, <c>time</c>, <c>factoryReset</c>, <c>roots</c>.</param>
/// <param name="Handlers">Update handlers, for example <c>microsoft/script:1</c>.</param>
/// <param name="ApiVersion">The <see cref="HostApiVersion"/> that it speaks; null from 1.0.</param>
/// <param name="CallerApiVersion">The caller's, as HostAccess understood it; null from 1.0.</param>
/// <param name="Capabilities">What the host can do, and why it cannot do the rest; absent from versions up to 0.2.0.</param>
public sealed record HostAccessInfo(
    string Program,
    string Version,
    ImmutableArray<string> ApiVersions,
    string HostKind,
    string HostInstanceId,
    ImmutableArray<string> Verbs,
    ImmutableArray<string> Handlers,
    string? ApiVersion = null,
    string? CallerApiVersion = null,
    ImmutableArray<HostCapability>? Capabilities = null
);

/// <summary>Something that hosts can do or not.</summary>
/// <param name="Name">One of <see cref="HostCapabilities"/>.</param>
/// <param name="Available">This host can.</param>
/// <param name="Reason">Why it cannot; absent when it can.</param>
public sealed record HostCapability(string Name, bool Available, string? Reason = null);

/// <summary>Names of capabilities.</summary>
public static class HostCapabilities
{
    /// <summary>Programs run as units of the host; needed by every update handler that runs programs.</summary>
    public const string Units = "units";

    /// <summary>Restarts.</summary>
    public const string Reboot = "reboot";

    /// <summary>Clock and time zone can be set.</summary>
    public const string Clock = "clock";

    /// <summary>Network time can be turned on and off.</summary>
    public const string NetworkTime = "networkTime";

    /// <summary>The host tells its name and hardware.</summary>
    public const string Identity = "identity";

    /// <summary>The host has slots for OS images, and RAUC installs into them.</summary>
    public const string Slots = "slots";

    /// <summary>The machine has a watchdog, which is armed while an update is on trial.</summary>
    public const string Watchdog = "watchdog";
}

/// <summary>What the host is, read from the host at the moment of asking.</summary>
/// <param name="Manufacturer">As in a manifest's <c>deviceManufacturer</c>.</param>
/// <param name="Model">As in a manifest's <c>deviceModel</c>.</param>
/// <param name="SerialNumber">Null when the host has none.</param>
/// <param name="HardwareVersion">Null when the host has none.</param>
/// <param name="FirmwareVersion">The running OS image's version.</param>
/// <param name="MemoryFree">Free storage of the data partition in units of 1,000 bytes (LwM2M /3/0/10).</param>
/// <param name="MemoryTotal">Total storage of the data partition in units of 1,000 bytes (LwM2M /3/0/21).</param>
/// <param name="CurrentTime">The host's clock, UTC.</param>
/// <param name="UtcOffset">For example <c>+01:00</c>; null when HostAccess has no data of this time zone.</param>
/// <param name="Timezone">IANA name.</param>
/// <param name="LastBootTime">When the host started, UTC.</param>
/// <param name="HostInstanceId">See <see cref="HostAccessInfo"/>.</param>
/// <param name="InstalledUpdates">What was committed here, newest first: the JSON text of each update id.</param>
/// <param name="Hostname">The host's name; absent when it has none.</param>
/// <param name="MachineId">The host's machine-id, 32 hexadecimal digits; absent when it has none. systemd asks to treat it as confidential.</param>
/// <param name="Battery">Absent when the host has none.</param>
public sealed record HostInventory(
    string Manufacturer,
    string Model,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? SerialNumber,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? HardwareVersion,
    string FirmwareVersion,
    long MemoryFree,
    long MemoryTotal,
    DateTimeOffset CurrentTime,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? UtcOffset,
    string Timezone,
    DateTimeOffset LastBootTime,
    string HostInstanceId,
    ImmutableArray<string> InstalledUpdates,
    string? Hostname = null,
    string? MachineId = null,
    HostBattery? Battery = null
);

/// <summary>The host's battery.</summary>
/// <param name="Level">0 to 100 %; absent when it does not tell.</param>
/// <param name="Status">One of <see cref="BatteryStatuses"/>.</param>
public sealed record HostBattery(int? Level, string Status);

/// <summary>Words of a battery's status, which are those of LwM2M /3/0/20; its integers exist only in the dialects' codecs.</summary>
public static class BatteryStatuses
{
    /// <summary>In use, or at rest.</summary>
    public const string Normal = "normal";

    public const string Charging = "charging";

    /// <summary>Full, and on power.</summary>
    public const string ChargeComplete = "chargeComplete";

    public const string Damaged = "damaged";

    /// <summary>In use, and low.</summary>
    public const string Low = "low";

    /// <summary>There is a place for one.</summary>
    public const string NotInstalled = "notInstalled";

    public const string Unknown = "unknown";
}

/// <summary>Asks whether a signed manifest would be accepted.</summary>
/// <param name="UpdateManifest">The manifest's exact text.</param>
/// <param name="UpdateManifestSignature">Its JWS.</param>
public sealed record UpdateVerification(string UpdateManifest, string UpdateManifestSignature);

/// <summary>An accepted manifest. Only HostAccess reads manifests; everybody else goes by this.</summary>
/// <param name="UpdateId">JSON text of the update id.</param>
/// <param name="AlreadyInstalled">True when exactly this update is what the host has committed.</param>
/// <param name="Files">Files that must be in the package store: all that the manifest names; when a detached manifest's file is not there yet, just that one.</param>
/// <param name="Complete">False when <paramref name="Files"/> lists only the detached manifest: fetch it, then ask again.</param>
public sealed record VerifiedUpdate(
    string UpdateId,
    bool AlreadyInstalled,
    ImmutableArray<VerifiedFile> Files,
    bool Complete
);

/// <summary>A file that a verified manifest names.</summary>
/// <param name="FileId">The manifest's id of the file; key of <c>fileUrls</c>.</param>
/// <param name="FileName">For people.</param>
/// <param name="SizeInBytes">Exact size.</param>
/// <param name="Sha256">Digest, 64 lower-case hexadecimal digits.</param>
public sealed record VerifiedFile(string FileId, string FileName, long SizeInBytes, string Sha256);

/// <summary>Starts an update from files that are in the package store.</summary>
/// <param name="CommandId">1 to 128 of letters, digits, '-', '_', '.'; the same id never acts twice, also after a reboot.</param>
/// <param name="UpdateManifest">The signed manifest's exact text (for a detached one: the signed stub).</param>
/// <param name="UpdateManifestSignature">Its JWS.</param>
public sealed record UpdateSubmission(string CommandId, string UpdateManifest, string UpdateManifestSignature);

/// <summary>Where an update is on the host.</summary>
/// <param name="CommandId">The submission's id.</param>
/// <param name="Revision">Another one after every change; for waiting.</param>
/// <param name="State">One of <see cref="HostUpdateState"/>.</param>
/// <param name="UpdateId">JSON text of the update id.</param>
/// <param name="HostInstanceId">The host instance that answers.</param>
/// <param name="Percent">0 to 100 over all steps.</param>
/// <param name="Steps">One per instruction step of the manifest.</param>
/// <param name="Error">Why it failed or was rolled back; null otherwise.</param>
/// <param name="Health">While <c>verifying</c>: what is still missing; null otherwise.</param>
public sealed record UpdateStatus(
    string CommandId,
    long Revision,
    string State,
    string UpdateId,
    string HostInstanceId,
    int Percent,
    ImmutableArray<UpdateStepStatus> Steps,
    ErrorObject? Error = null,
    HealthStatus? Health = null
);

/// <summary>The host's words for an update's state.</summary>
public static class HostUpdateState
{
    /// <summary>On record, not begun.</summary>
    public const string Accepted = "accepted";

    /// <summary>Copying files out of the package store while hashing them.</summary>
    public const string Staging = "staging";

    /// <summary>A step runs.</summary>
    public const string Installing = "installing";

    /// <summary>A reboot was asked of the host.</summary>
    public const string Rebooting = "rebooting";

    /// <summary>All steps done; waiting for health evidence.</summary>
    public const string Verifying = "verifying";

    /// <summary>Undoing.</summary>
    public const string RollingBack = "rollingBack";

    /// <summary>Terminal: the new version stays.</summary>
    public const string Committed = "committed";

    /// <summary>Terminal: the old version runs; nothing was switched.</summary>
    public const string Failed = "failed";

    /// <summary>Terminal: the new version had begun and was undone; the old version runs.</summary>
    public const string RolledBack = "rolledBack";

    /// <summary>Terminal: cancelled before a step changed anything.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>True for the four states that never change again.</summary>
    public static bool IsTerminal(string state) => state is Committed or Failed or RolledBack or Cancelled;
}

/// <summary>One step's result, in Device Update's numbers.</summary>
/// <param name="Index">From 0.</param>
/// <param name="Handler">For example <c>microsoft/script:1</c>.</param>
/// <param name="State"><c>waiting</c>, <c>running</c>, <c>succeeded</c>, <c>skipped</c>, <c>failed</c>, <c>restored</c>.</param>
/// <param name="ResultCode">Above 0 is success; 0 and below failure; null while not ended.</param>
/// <param name="ExtendedResultCode">32 bits, facility, component and error.</param>
/// <param name="ResultDetails">The handler's words, at most 1,024 characters.</param>
/// <param name="StartedAt">UTC.</param>
/// <param name="EndedAt">UTC.</param>
/// <param name="Percent">0 to 100 over the step's actions; null while it waits.</param>
public sealed record UpdateStepStatus(
    int Index,
    string Handler,
    string State,
    int? ResultCode = null,
    int? ExtendedResultCode = null,
    string? ResultDetails = null,
    DateTimeOffset? StartedAt = null,
    DateTimeOffset? EndedAt = null,
    int? Percent = null
);

/// <summary>What DeviceManagement has seen work since the host came up. Posted again whenever it changes and every few seconds.</summary>
/// <param name="HostInstanceId">The instance that the evidence is about; evidence about another instance is refused with 409.</param>
/// <param name="EdgeHubSession">A session with edgeHub is up.</param>
/// <param name="Modules">Ids of the EdgeDm modules that answered on their route.</param>
/// <param name="Upstream">IoT Hub was reached; counts only with <c>requireUpstream</c>.</param>
public sealed record HealthEvidence(
    string HostInstanceId,
    bool EdgeHubSession,
    ImmutableArray<string> Modules,
    bool Upstream = false
);

/// <summary>The health gate's view.</summary>
/// <param name="Deadline">UTC; rolled back when not healthy by then.</param>
/// <param name="Missing">What is still missing, in words; empty when only the stable period has to pass.</param>
public sealed record HealthStatus(DateTimeOffset Deadline, ImmutableArray<string> Missing);

/// <summary>A new list of root keys.</summary>
/// <param name="RootList">The signed list's exact text, see <c>RootList</c> of the manifest library.</param>
public sealed record RootListSubmission(string RootList);

/// <summary>Which root keys the host trusts.</summary>
/// <param name="Version">Of the accepted list; 0 while the roots of host-access.json hold.</param>
/// <param name="RootKeyIds">Trusted.</param>
/// <param name="DisabledRootKeys">No longer trusted.</param>
/// <param name="DisabledSigningKeys">Fingerprints of signing keys that are no longer trusted.</param>
/// <param name="RequiredSignatures">How many of the trusted roots must sign the next list.</param>
/// <param name="Published">When the accepted list was made, UTC; null while there is none.</param>
public sealed record RootListStatus(
    long Version,
    ImmutableArray<string> RootKeyIds,
    ImmutableArray<string> DisabledRootKeys,
    ImmutableArray<string> DisabledSigningKeys,
    int RequiredSignatures,
    DateTimeOffset? Published = null
);

/// <summary>Asks for a restart of the host.</summary>
/// <param name="CommandId">As in <see cref="UpdateSubmission"/>.</param>
/// <param name="Reason">For the audit log, at most 256 characters.</param>
/// <param name="DelaySeconds">0 to 3,600; the answer comes first in any case.</param>
public sealed record RebootRequest(string CommandId, string Reason, int DelaySeconds = 0);

/// <summary>A reboot command's state.</summary>
/// <param name="CommandId">The request's id.</param>
/// <param name="State"><c>accepted</c> (will happen), <c>completed</c> (the host instance changed since).</param>
/// <param name="AcceptedInstanceId">The host instance that accepted it.</param>
/// <param name="HostInstanceId">The present one.</param>
public sealed record RebootStatus(string CommandId, string State, string AcceptedInstanceId, string HostInstanceId);

/// <summary>Asks for the state in which the gateway left its factory. What that erases is the OEM's word: the hooks on the host.</summary>
/// <param name="CommandId">As in <see cref="UpdateSubmission"/>.</param>
/// <param name="Reason">For the audit log, at most 256 characters.</param>
public sealed record FactoryResetRequest(string CommandId, string Reason);

/// <summary>A factory reset's state.</summary>
/// <param name="CommandId">The request's id.</param>
/// <param name="State">One of <see cref="FactoryResetStates"/>.</param>
/// <param name="HooksDone">Hooks that ended well.</param>
/// <param name="Hooks">Hooks in all.</param>
/// <param name="HostInstanceId">The host instance that answers.</param>
/// <param name="Error">Why it failed; null otherwise.</param>
public sealed record FactoryResetStatus(
    string CommandId,
    string State,
    int HooksDone,
    int Hooks,
    string HostInstanceId,
    ErrorObject? Error = null
);

/// <summary>The host's words for a factory reset's state.</summary>
public static class FactoryResetStates
{
    /// <summary>The hooks run, one after the other.</summary>
    public const string Erasing = "erasing";

    /// <summary>All hooks ended well; the host was asked to restart.</summary>
    public const string Rebooting = "rebooting";

    /// <summary>Terminal: the host has started anew.</summary>
    public const string Completed = "completed";

    /// <summary>Terminal: a hook failed, or the host did not restart. What was erased by then stays erased.</summary>
    public const string Failed = "failed";

    /// <summary>True for the two states that never change again.</summary>
    public static bool IsTerminal(string state) => state is Completed or Failed;
}

/// <summary>Sets what is given of the host's clock; at least one of the three.</summary>
/// <param name="CommandId">As in <see cref="UpdateSubmission"/>.</param>
/// <param name="Timezone">IANA name, for example <c>Europe/Berlin</c>.</param>
/// <param name="Time">The right time at the moment of the request. Not while network time is on.</param>
/// <param name="NtpEnabled">Turns network time on or off; off comes before <paramref name="Time"/>, on with it is refused.</param>
public sealed record TimeRequest(
    string CommandId,
    string? Timezone = null,
    DateTimeOffset? Time = null,
    bool? NtpEnabled = null
);

/// <summary>What became of a <see cref="TimeRequest"/>.</summary>
/// <param name="CommandId">The request's id.</param>
/// <param name="Now">What the host says now.</param>
/// <param name="Error">Why not all of it was done; null when it was.</param>
public sealed record TimeStatus(string CommandId, HostTime Now, ErrorObject? Error = null);

/// <summary>The host's clock as the host tells it.</summary>
/// <param name="Time">UTC.</param>
/// <param name="Timezone">IANA name.</param>
/// <param name="NtpAvailable">The host has a network time service.</param>
/// <param name="NtpEnabled">It is on.</param>
/// <param name="NtpSynchronized">The clock follows it.</param>
public sealed record HostTime(
    DateTimeOffset Time,
    string Timezone,
    bool NtpAvailable,
    bool NtpEnabled,
    bool NtpSynchronized
);
