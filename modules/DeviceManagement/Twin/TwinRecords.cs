using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Twin;

/// <summary>The whole desired document as last received.</summary>
internal sealed record DesiredRecord(long Version, JsonObject Properties);

/// <summary>What became of each group, by name.</summary>
/// <param name="Groups">The groups.</param>
/// <param name="Changed">When that was last other; null in a record of version 0.1.0.</param>
internal sealed record GroupRecords(
    ImmutableSortedDictionary<string, GroupRecord> Groups,
    DateTimeOffset? Changed = null
)
{
    /// <summary>When a group last changed; null when there never was one.</summary>
    [JsonIgnore]
    public DateTimeOffset? LastChange => Changed ?? Groups.Values.Max(group => (DateTimeOffset?)group.Time);

    public static GroupRecords Empty { get; } =
        new(ImmutableSortedDictionary.Create<string, GroupRecord>(StringComparer.Ordinal));
}

/// <summary>One group's last application.</summary>
/// <param name="Digest">Of the desired content, so that an equal group is not applied again.</param>
/// <param name="DeploymentId">The operator's label.</param>
/// <param name="ServiceInterfaceVersion">As given, or 1.0.0.</param>
/// <param name="ReportingMode"><c>detailed</c>, <c>minimal</c> or <c>none</c>.</param>
/// <param name="Status">One of <see cref="DeploymentStatuses"/>.</param>
/// <param name="Errors">By sub-group.</param>
/// <param name="Time">Last change of the above.</param>
internal sealed record GroupRecord(
    string Digest,
    string? DeploymentId,
    string ServiceInterfaceVersion,
    string ReportingMode,
    string Status,
    ImmutableSortedDictionary<string, ErrorObject> Errors,
    DateTimeOffset Time
);
