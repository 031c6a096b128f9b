using System.Collections.Immutable;
using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Jobs.FirmwareUpdate;

/// <summary>What a firmware update keeps between its steps.</summary>
/// <param name="UpdateManifest">The manifest's text; null until a bundle brought it.</param>
/// <param name="UpdateManifestSignature">Likewise.</param>
/// <param name="Files">Files to fetch, as HostAccess told; empty until it has verified the manifest.</param>
/// <param name="Complete">False when a detached manifest has to be fetched first.</param>
/// <param name="AlreadyInstalled">The host runs this update: nothing to do.</param>
internal sealed record FirmwareUpdateState(
    string? UpdateManifest,
    string? UpdateManifestSignature,
    ImmutableArray<VerifiedFile> Files,
    bool Complete,
    bool AlreadyInstalled
);
