using System.Collections.Immutable;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Configuration;

namespace EdgeDm.HostAccess.Updates;

/// <summary>
/// Whether an updated host is healthy, from evidence that DeviceManagement gathers. HostAccess owns deadline and verdict; evidence is
/// kept in memory only, so a restart of HostAccess asks for it anew. Times are the host's uptime.
/// </summary>
internal sealed class HealthGate(HealthOptions options)
{
    /// <summary>Older evidence says nothing about now. Whoever posts it does so every few seconds.</summary>
    public static readonly TimeSpan MaxEvidenceAge = TimeSpan.FromSeconds(15);

    private readonly Lock gate = new();
    private HealthEvidence? evidence;
    private TimeSpan evidenceAt;
    private TimeSpan? completeSince;

    /// <summary>Time of the host's watchdog while an update is on trial; 0 = it is left alone.</summary>
    public TimeSpan Watchdog => options.Watchdog;

    /// <summary>Takes new evidence. True when it says something else than the last.</summary>
    public bool Accept(HealthEvidence newer, TimeSpan now)
    {
        lock (gate)
        {
            var differs = evidence is null || !MissingFrom(newer).SequenceEqual(MissingFrom(evidence));
            evidence = newer;
            evidenceAt = now;
            return differs;
        }
    }

    /// <summary>Forgets all evidence; for the next update.</summary>
    public void Reset()
    {
        lock (gate)
        {
            evidence = null;
            completeSince = null;
        }
    }

    /// <summary>When the trial's time is over.</summary>
    public TimeSpan DeadlineOf(TrialRecord trial) => trial.StartedUptime + options.Deadline;

    /// <summary>The verdict now.</summary>
    public HealthVerdict Judge(TrialRecord trial, TimeSpan now)
    {
        lock (gate)
        {
            var missing = MissingAt(now);
            completeSince = missing.Length > 0 ? null : completeSince ?? evidenceAt;
            if (completeSince is { } since && now - since >= options.Stable)
            {
                return new(HealthState.Healthy, missing);
            }
            return new(now >= DeadlineOf(trial) ? HealthState.TooLate : HealthState.Waiting, missing);
        }
    }

    private ImmutableArray<string> MissingAt(TimeSpan now) =>
        evidence is null || now - evidenceAt > MaxEvidenceAge ? ["recent evidence"] : MissingFrom(evidence);

    private ImmutableArray<string> MissingFrom(HealthEvidence given)
    {
        var missing = ImmutableArray.CreateBuilder<string>();
        if (!given.EdgeHubSession)
        {
            missing.Add("session with edgeHub");
        }
        missing.AddRange(
            options.RequiredModules.Except(given.Modules, StringComparer.Ordinal).Select(m => $"module {m}")
        );
        if (options.RequireUpstream && !given.Upstream)
        {
            missing.Add("IoT Hub");
        }
        return missing.ToImmutable();
    }
}

/// <summary>What the gate says.</summary>
/// <param name="State">See <see cref="HealthState"/>.</param>
/// <param name="Missing">What is missing, in words.</param>
internal sealed record HealthVerdict(HealthState State, ImmutableArray<string> Missing);

/// <summary>States of a trial.</summary>
internal enum HealthState
{
    /// <summary>Not healthy for long enough yet.</summary>
    Waiting,

    /// <summary>Commit.</summary>
    Healthy,

    /// <summary>Roll back.</summary>
    TooLate,
}
