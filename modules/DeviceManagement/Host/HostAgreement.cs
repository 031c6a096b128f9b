using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Host;

/// <summary>Which HostAccess answers, and whether it and this program understand each other.</summary>
/// <param name="Version">Its program's version.</param>
/// <param name="ApiVersion">The interface's version that it speaks.</param>
/// <param name="Error">Null, or why nothing can be asked of it.</param>
internal sealed record HostAgreement(string Version, HostApiVersion ApiVersion, ErrorObject? Error)
{
    public static HostAgreement With(string version, HostApiVersion spoken) =>
        new(
            version,
            spoken,
            spoken.WorksWith(HostApiVersion.Current)
                ? null
                : ErrorRegistry.HostApiVersion.Error(
                    Subsystems.DeviceManagement,
                    "HostAccess",
                    $"HostAccess {version} speaks version {spoken} of the interface, DeviceManagement {HostApiVersion.Current}.",
                    ("hostAccess", spoken.ToString()),
                    ("deviceManagement", HostApiVersion.Current.ToString())
                )
        );

    /// <summary>Same program, same interface.</summary>
    public bool Equals(HostAgreement? other) =>
        other is not null && Version == other.Version && ApiVersion == other.ApiVersion;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Version, ApiVersion);
}
