using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Twin;

/// <summary>One top-level property of the twin: what is desired of it, and what is so.</summary>
internal interface IConfigurationGroup
{
    /// <summary>The property's name.</summary>
    string Name { get; }

    /// <summary>Version of the group's own schema, <c>x.y.z</c>.</summary>
    string InterfaceVersion { get; }

    /// <summary>How applying stands; null when this process does not know (the record of it then holds).</summary>
    GroupOutcome? Outcome { get; }

    /// <summary>Applies the whole group (without <c>__meta</c>), or begins to. Its end shows in <see cref="Outcome"/>.</summary>
    ValueTask ApplyAsync(JsonElement properties, CancellationToken cancellationToken);

    /// <summary>After a restart, for a group that was applied before: takes it up without touching anything.</summary>
    void Restore(JsonElement properties);

    /// <summary>
    /// The group is no longer desired: what can be called back is, what is done stays. Its report goes when nothing of it goes on any
    /// more (<see cref="IsBusy"/>).
    /// </summary>
    ValueTask RemoveAsync(CancellationToken cancellationToken);

    /// <summary>Something that this group began goes on.</summary>
    bool IsBusy { get; }

    /// <summary>The group's reported data, read back.</summary>
    JsonObject Read();

    /// <summary>Outcome or data changed. May be raised on any thread, with locks of the group held.</summary>
    event Action? Changed;
}

/// <summary>How applying a group stands.</summary>
/// <param name="Status">One of <see cref="DeploymentStatuses"/>.</param>
/// <param name="Errors">By sub-group: why it failed, or what it waits for.</param>
internal sealed record GroupOutcome(string Status, ImmutableSortedDictionary<string, ErrorObject> Errors)
{
    public static GroupOutcome Pending { get; } =
        new(DeploymentStatuses.Pending, ImmutableSortedDictionary<string, ErrorObject>.Empty);

    public static GroupOutcome Succeeded { get; } =
        new(DeploymentStatuses.Succeeded, ImmutableSortedDictionary<string, ErrorObject>.Empty);

    /// <summary>Pending, and somebody has to do something before it goes on.</summary>
    public static GroupOutcome Waiting(string subGroup, ErrorObject reason) =>
        new(DeploymentStatuses.Pending, ErrorsOf(subGroup, reason));

    public static GroupOutcome Failed(ImmutableSortedDictionary<string, ErrorObject> errors) =>
        new(DeploymentStatuses.Failed, errors);

    public static GroupOutcome Failed(string subGroup, ErrorObject error) => Failed(ErrorsOf(subGroup, error));

    /// <summary>Same status and the same errors.</summary>
    public bool IsSame(GroupOutcome other) =>
        Status == other.Status
        && Errors.Count == other.Errors.Count
        && Errors.All(e => other.Errors.TryGetValue(e.Key, out var error) && error.Message == e.Value.Message);

    private static ImmutableSortedDictionary<string, ErrorObject> ErrorsOf(string subGroup, ErrorObject error) =>
        ImmutableSortedDictionary<string, ErrorObject>.Empty.Add(subGroup, error);
}
