using System.Collections.Immutable;
using EdgeDm.DevHub.Identities;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Faults;

/// <summary>
/// The faults that a developer asked for, and the connections that they hold for. In memory only: a hub that starts has none. Safe for use
/// by many threads.
/// </summary>
/// <param name="limits">How many there may be.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Told of each fault, so that nobody takes it for a real one.</param>
internal sealed partial class FaultBoard(FaultLimits limits, TimeProvider time, ILogger<FaultBoard> logger)
    : IDisposable
{
    private readonly Lock gate = new();
    private readonly HashSet<ClientLink> links = [];
    private readonly Dictionary<int, ITimer> timers = [];
    private ImmutableArray<Fault> faults = [];
    private int lastId;
    private volatile bool cutsHttps;

    /// <summary>All that are on, oldest first.</summary>
    public ImmutableArray<Fault> All
    {
        get
        {
            lock (gate)
            {
                return faults;
            }
        }
    }

    /// <summary>Turns a fault on.</summary>
    /// <returns>The fault with its number.</returns>
    /// <exception cref="HubException">There are too many.</exception>
    public Fault Add(Fault asked)
    {
        Fault fault;
        lock (gate)
        {
            if (faults.Length >= limits.MostFaults)
            {
                throw new HubException(
                    HubError.ArgumentInvalid,
                    $"{limits.MostFaults} faults are on, which is the most. End some first."
                );
            }
            fault = asked with { Id = ++lastId, Since = time.GetUtcNow() };
            if (fault.Duration is { } duration)
            {
                timers.Add(
                    fault.Id,
                    time.CreateTimer(_ => End([fault.Id], "its time is over"), null, duration, Timeout.InfiniteTimeSpan)
                );
            }
            Apply(faults.Add(fault));
        }
        LogOn(logger, fault.Id, fault.Words, NamesOf(fault), fault.Duration?.TotalSeconds);
        return fault;
    }

    /// <summary>Ends faults.</summary>
    /// <param name="ids">Which; null = all.</param>
    /// <param name="why">For the log.</param>
    /// <returns>Those that were on.</returns>
    public ImmutableArray<Fault> End(IReadOnlyCollection<int>? ids, string why)
    {
        ImmutableArray<Fault> ended;
        lock (gate)
        {
            ended = [.. faults.Where(fault => ids?.Contains(fault.Id) is not false)];
            foreach (var fault in ended)
            {
                if (timers.Remove(fault.Id, out var timer))
                {
                    timer.Dispose();
                }
            }
            Apply(faults.RemoveRange(ended));
        }
        foreach (var fault in ended)
        {
            fault.End();
            LogOff(logger, fault.Id, fault.Words, why);
        }
        return ended;
    }

    /// <summary>Puts a new connection under the faults of whoever it turns out to belong to.</summary>
    /// <param name="connection">It.</param>
    /// <param name="largestPacket">Most bytes of a packet that the client sends.</param>
    public ClientLink Attach(ConnectionContext connection, int largestPacket) => new(connection, this, largestPacket);

    /// <summary>The fault that cuts a client's requests by HTTPS; null = none does.</summary>
    public CutFault? HttpsCutOf(HubIdentity client) =>
        All.OfType<CutFault>()
            .Where(cut => cut.WithHttps && cut.Concerns(client))
            .OrderBy(cut => cut.IsSilent) // Reset beats silence, as of MQTT.
            .FirstOrDefault();

    /// <summary>False as long as no client's requests by HTTPS are cut.</summary>
    public bool CutsHttps => cutsHttps;

    /// <summary>It is known whose connection it is.</summary>
    public void Enter(ClientLink link, HubIdentity client)
    {
        lock (gate)
        {
            links.Add(link);
            if (LinkFaults.Of(client, faults, time) is { } now)
            {
                link.Change(now);
            }
        }
    }

    /// <summary>A connection is over.</summary>
    public void Leave(ClientLink link)
    {
        lock (gate)
        {
            links.Remove(link);
        }
    }

    /// <summary>Ends all faults: nobody shall wait for what will not come.</summary>
    public void Dispose() => End(null, "the hub stops");

    private void Apply(ImmutableArray<Fault> next)
    {
        faults = next;
        cutsHttps = next.OfType<CutFault>().Any(cut => cut.WithHttps);
        // A copy: a change may end a connection at once, which then leaves.
        foreach (var link in links.ToArray())
        {
            var now = LinkFaults.Of(link.Client!.Value, next, time);
            if (now is not null || link.Faults is not null)
            {
                link.Change(now);
            }
        }
    }

    private static string NamesOf(Fault fault) =>
        fault.Clients.IsEmpty ? "all clients" : string.Join(", ", fault.Clients.Select(client => client.ToString()));

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Fault {Id} on purpose: {Fault}, for {Clients} (seconds: {Seconds})"
    )]
    private static partial void LogOn(ILogger logger, int id, string fault, string clients, double? seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Fault {Id} ({Fault}) is over: {Reason}")]
    private static partial void LogOff(ILogger logger, int id, string fault, string reason);
}
