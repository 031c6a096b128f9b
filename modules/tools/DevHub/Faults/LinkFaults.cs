using System.Collections.Immutable;
using EdgeDm.DevHub.Identities;
using EdgeDm.Mqtt;

namespace EdgeDm.DevHub.Faults;

/// <summary>What is wrong with one client's connections now. Replaced as a whole when a fault comes or goes.</summary>
internal sealed class LinkFaults
{
    private readonly HubIdentity client;
    private readonly TimeProvider time;
    private readonly TaskCompletionSource replaced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeSpan latency;
    private readonly int? bytesPerSecond;
    private readonly ImmutableArray<DropFault> drops;

    private LinkFaults(HubIdentity client, IReadOnlyList<Fault> faults, TimeProvider time)
    {
        this.client = client;
        this.time = time;
        var cuts = faults.OfType<CutFault>().ToList();
        IsReset = cuts.Exists(cut => !cut.IsSilent);
        IsSilent = cuts.Count > 0 && !IsReset;
        latency = faults.OfType<SlowFault>().Select(slow => slow.Latency).DefaultIfEmpty().Max();
        bytesPerSecond = faults.OfType<SlowFault>().Min(slow => slow.BytesPerSecond);
        drops = [.. faults.OfType<DropFault>()];
    }

    /// <summary>Connections are reset.</summary>
    public bool IsReset { get; }

    /// <summary>Nothing is read or sent.</summary>
    public bool IsSilent { get; }

    /// <summary>True when packets have to be told apart.</summary>
    public bool HasDrops => !drops.IsEmpty;

    /// <summary>Of all faults those that concern a client; null when none does.</summary>
    public static LinkFaults? Of(HubIdentity client, ImmutableArray<Fault> all, TimeProvider time)
    {
        var its = all.Where(fault => fault.Concerns(client)).ToList();
        return its.Count == 0 ? null : new(client, its, time);
    }

    /// <summary>Others hold from now on: whoever waits goes by them.</summary>
    public void Replace() => replaced.TrySetResult();

    /// <summary>How long so many bytes take.</summary>
    public TimeSpan TimeFor(long bytes) =>
        IsSilent ? Timeout.InfiniteTimeSpan
        : bytesPerSecond is { } rate ? latency + TimeSpan.FromSeconds((double)bytes / rate)
        : latency;

    /// <summary>Waits. False when others hold meanwhile.</summary>
    public async Task<bool> WaitAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var first = await Task.WhenAny(Task.Delay(wait, time, enough.Token), replaced.Task);
        await enough.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
        return first != replaced.Task;
    }

    /// <summary>True when a packet that the hub sends is dropped. To be asked once for each.</summary>
    public bool DropsSent(in MqttFrame frame) => Drops(DroppedPacketsKinds.OfSent(frame));

    /// <summary>True when a packet that the client sends is dropped. To be asked once for each.</summary>
    public bool DropsReceived(in MqttFrame frame) => Drops(DroppedPacketsKinds.OfReceived(frame));

    private bool Drops(DroppedPackets? kind)
    {
        foreach (var drop in drops)
        {
            if (drop.What == kind && drop.Choice.Takes(client))
            {
                return true;
            }
        }
        return false;
    }
}
