using System.Collections.Immutable;
using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Faults;

/// <summary>Something that goes wrong on purpose between the hub and some of its clients, so that a developer sees what those do.</summary>
internal abstract record Fault
{
    private readonly TaskCompletionSource over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Its number, from 1; given by the board.</summary>
    public int Id { get; init; }

    /// <summary>Whose connections; empty = everybody's.</summary>
    public ImmutableArray<HubIdentity> Clients { get; init; } = [];

    /// <summary>Since when; given by the board.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>How long; null = until it is ended.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>What is wrong, in words for the log.</summary>
    public abstract string Words { get; }

    /// <summary>Completes when it is over.</summary>
    public Task Over => over.Task;

    /// <summary>True when it holds for this client's connections.</summary>
    public bool Concerns(HubIdentity client) => Clients.IsEmpty || Clients.Contains(client);

    /// <summary>It is over.</summary>
    public void End() => over.TrySetResult();
}

/// <summary>No connection lasts, and none can be made.</summary>
internal sealed record CutFault : Fault
{
    /// <summary>
    /// Sockets stay open and nothing is answered, as when a cable is pulled far away; else they are reset.
    /// </summary>
    public bool IsSilent { get; init; }

    /// <summary>Requests by HTTPS, too. Those of services are never cut: one of them ends the fault.</summary>
    public bool WithHttps { get; init; }

    /// <inheritdoc/>
    public override string Words => (IsSilent ? "silent cut" : "cut") + (WithHttps ? ", HTTPS too" : "");
}

/// <summary>What passes takes its time.</summary>
internal sealed record SlowFault : Fault
{
    /// <summary>How much later the hub reads, and sends, what is under way; a round trip takes this twice.</summary>
    public TimeSpan Latency { get; init; }

    /// <summary>Most bytes each way; null = any.</summary>
    public int? BytesPerSecond { get; init; }

    /// <inheritdoc/>
    public override string Words =>
        $"{Latency.TotalMilliseconds:0} ms slower" + (BytesPerSecond is { } rate ? $", at most {rate} bytes/s" : "");
}

/// <summary>Packets of one kind do not arrive.</summary>
internal sealed record DropFault : Fault
{
    /// <summary>Which.</summary>
    public required DroppedPackets What { get; init; }

    /// <summary>Which of them.</summary>
    public required DropChoice Choice { get; init; }

    /// <inheritdoc/>
    public override string Words => $"{What} dropped, {Choice}";
}

/// <summary>How many faults there may be, and how bad.</summary>
/// <param name="MostFaults">At a time.</param>
/// <param name="Longest">Most of <see cref="Fault.Duration"/>.</param>
/// <param name="LongestLatency">Most of <see cref="SlowFault.Latency"/>.</param>
/// <param name="LeastBytesPerSecond">Least of <see cref="SlowFault.BytesPerSecond"/>: below, not even a CONNECT passes in time.</param>
/// <param name="MostDropped">Packets that one fault may be told to drop.</param>
public sealed record FaultLimits(
    int MostFaults = 32,
    TimeSpan? Longest = null,
    TimeSpan? LongestLatency = null,
    int LeastBytesPerSecond = 100,
    int MostDropped = 1_000_000
)
{
    /// <summary><see cref="Longest"/>: a day where nothing is said.</summary>
    public TimeSpan EffectiveLongest => Longest ?? TimeSpan.FromDays(1);

    /// <summary><see cref="LongestLatency"/>: a minute where nothing is said.</summary>
    public TimeSpan EffectiveLongestLatency => LongestLatency ?? TimeSpan.FromMinutes(1);
}
