using System.Collections.Immutable;
using System.Text.Json;

namespace EdgeDm.Contracts;

/// <summary>Names of the device's twin document.</summary>
public static class TwinNames
{
    public const string FirmwareUpdate = "firmwareUpdate";
    public const string TrustedRoots = "trustedRoots";
    public const string Meta = "__meta";
    public const string Errors = "__errors";
    public const string Summary = "__summary";
    public const string DeviceSchemas = "__deviceSchemas";
}

/// <summary>Desired group <c>trustedRoots</c>.</summary>
public static class TrustedRootsNames
{
    /// <summary>
    /// The signed list's exact text, as <c>edgedm roots sign</c> writes it, or an array of its parts in order, because a text in a twin has at
    /// most 4,096 bytes.
    /// </summary>
    public const string RootList = "rootList";

    /// <summary>Parts of a list; with this many, a twin's section of 32 KB is full anyway.</summary>
    public const int MaxRootListParts = 16;
}

/// <summary>Desired group <c>firmwareUpdate</c>. Names and bytes as Device Update's.</summary>
/// <param name="UpdateManifest">The manifest's exact text.</param>
/// <param name="UpdateManifestSignature">Its JWS.</param>
/// <param name="FileUrls">By file id: one address, or an array of addresses. May carry tokens: never echoed, logged or audited.</param>
/// <param name="Workflow">A new id retries a failed update.</param>
/// <param name="PackageUri">Instead of the first three: the address of an update bundle.</param>
public sealed record FirmwareUpdateDesired(
    string? UpdateManifest = null,
    string? UpdateManifestSignature = null,
    ImmutableSortedDictionary<string, JsonElement>? FileUrls = null,
    WorkflowReference? Workflow = null,
    string? PackageUri = null
);

/// <summary>The operator's own id of a deployment.</summary>
public sealed record WorkflowReference(string Id);

/// <summary>Reported group <c>firmwareUpdate</c>.</summary>
/// <param name="State">One of <see cref="FirmwareStates"/>.</param>
/// <param name="InstalledUpdateId">JSON text <c>{"provider","name","version"}</c> of what is committed; null when nothing is.</param>
/// <param name="JobId">The job that works or worked on the desired update.</param>
/// <param name="Step">Its present or last step.</param>
/// <param name="Percent">0 to 100 of that step.</param>
/// <param name="Bytes">Of the download.</param>
/// <param name="LastInstallResult">Result of the last job that ended.</param>
public sealed record FirmwareUpdateReported(
    string State,
    string? InstalledUpdateId = null,
    string? JobId = null,
    string? Step = null,
    int? Percent = null,
    DownloadBytes? Bytes = null,
    InstallResult? LastInstallResult = null
);

/// <summary>Words for the firmware state; integers exist only in the dialects' codecs.</summary>
public static class FirmwareStates
{
    public const string Idle = "idle";
    public const string Downloading = "downloading";
    public const string Downloaded = "downloaded";
    public const string Updating = "updating";
}

/// <summary>An update's result in Device Update's shape.</summary>
/// <param name="ResultCode">700 = applied; 0 = failed; -1 = cancelled.</param>
/// <param name="ExtendedResultCodes">Comma list of 8 hexadecimal digits each, the root result first.</param>
/// <param name="ResultDetails">In words, at most 1,024 characters.</param>
/// <param name="StepResults">By <c>step_0</c>, <c>step_1</c>, ...</param>
public sealed record InstallResult(
    int ResultCode,
    string ExtendedResultCodes,
    string ResultDetails,
    ImmutableSortedDictionary<string, StepResult> StepResults
);

/// <summary>One step's part of <see cref="InstallResult"/>.</summary>
public sealed record StepResult(int ResultCode, string ExtendedResultCodes, string ResultDetails);

/// <summary><c>__meta</c> of a reported group.</summary>
public sealed record GroupMeta(
    string ServiceInterfaceVersion,
    string ReportingMode,
    string DeviceInterfaceVersion,
    string DeploymentStatus,
    DateTimeOffset Time,
    string? DeploymentId = null
);

/// <summary>Words of <c>__meta.deploymentStatus</c>.</summary>
public static class DeploymentStatuses
{
    public const string NotStarted = "notStarted";
    public const string Pending = "pending";
    public const string Succeeded = "succeeded";
    public const string Failed = "failed";
}

/// <summary><c>__summary</c>: the whole device at a glance. Lists are joined by ';' in alphabetical order.</summary>
public sealed record TwinSummary(
    string Deployments,
    int FailedCount,
    string FailedGroups,
    int PendingCount,
    string PendingGroups,
    DateTimeOffset Time
);
