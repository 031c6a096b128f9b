using System.Collections.Immutable;
using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Jobs;

/// <summary>A job on disk. Everything that a restart needs is in here; percent and the like are not.</summary>
internal sealed record JobRecord
{
    public required string JobId { get; init; }
    public required string Type { get; init; }
    public required string Source { get; init; }

    /// <summary>Digest of what makes the work the same (<see cref="IJobWork.IdentityOf"/>): tells a repeat from a conflict.</summary>
    public required string ContentDigest { get; init; }
    public required JsonElement Payload { get; init; }
    public required string Status { get; init; }
    public required DateTimeOffset CreatedTime { get; init; }
    public DateTimeOffset? StartTime { get; init; }
    public DateTimeOffset? EndTime { get; init; }

    /// <summary>Seconds left to the job; counted on the monotonic clock, so setting the clock expires nothing.</summary>
    public required double RemainingSeconds { get; init; }

    /// <summary>Place in the order of creation, which the times do not tell: the clock may be set. 0 in records of version 0.1.</summary>
    public long Sequence { get; init; }

    /// <summary>Place in the order of ending; 0 before, and in records of version 0.1.</summary>
    public long EndSequence { get; init; }
    public ImmutableArray<JobStepDocument> Steps { get; init; } = [];
    public DownloadBytes? Bytes { get; init; }
    public string? UpdateId { get; init; }
    public ErrorObject? Error { get; init; }
    public JsonElement? Result { get; init; }
    public bool CancelRequested { get; init; }

    /// <summary>Cancelled because its desired group was removed or changed: the same content, desired again, is new work.</summary>
    public bool Withdrawn { get; init; }

    /// <summary>The status that the last event told of; null before the first one.</summary>
    public string? ToldStatus { get; init; }

    /// <summary>What the job type keeps between its steps.</summary>
    public JsonElement? State { get; init; }
}
