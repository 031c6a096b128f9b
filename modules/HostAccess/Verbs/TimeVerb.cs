using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.HostAccess.Audit;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Hosts;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Verbs;

/// <summary>
/// Sets the host's clock, time zone and network time, and answers with what the host says then. A command is on disk before it acts. One that
/// a kill interrupted is carried out when it is sent again: a clock is then set to the time given plus what has passed since.
/// </summary>
internal sealed class TimeVerb
{
    /// <summary>The verb's name in policy and audit log.</summary>
    public const string Name = "time";

    /// <summary>Longest name of a time zone.</summary>
    public const int LongestTimezone = 64;

    private static readonly Failpoint Written = new("host.time");

    private readonly IHost host;
    private readonly VerbGate verbs;
    private readonly TimeOptions options;
    private readonly CommandLedger<TimeEntry> ledger;
    private readonly CommandEntrance<TimeEntry> entrance;
    private readonly TimeProvider time;
    private readonly Lock gate = new();

    public TimeVerb(
        IHost host,
        VerbGate verbs,
        TimeOptions options,
        string ledgerFolder,
        TimeProvider time,
        ILogger logger
    )
    {
        this.host = host;
        this.verbs = verbs;
        this.options = options;
        this.time = time;
        ledger = new(Name, ledgerFolder, CommandLedgerJson.Default.TimeEntry, Written, time, logger);
        entrance = new(Name, ledger, options.PerHour, turn: null);
    }

    /// <summary>Reads the clock.</summary>
    public HostTime Read() => Told(Clock.Read());

    /// <summary>Carries a command out, unless one of this id was.</summary>
    public TimeStatus Request(Caller caller, TimeRequest request) =>
        verbs.Run(
            caller,
            Name,
            request.CommandId,
            options.Enabled,
            accept =>
            {
                Check(request);
                lock (gate)
                {
                    var entry = entrance.Take(EntryOf(request), accept, DetailOf(request), RequireStep);
                    return entry.Done ? new(entry.CommandId, Read(), entry.Error) : CarryOut(entry);
                }
            }
        );

    private IHostClock Clock =>
        host.Clock
        ?? throw ErrorRegistry.NotSupportedOnHost.Refusal(Name, "This host has no service that sets its clock.");

    private TimeStatus CarryOut(TimeEntry entry)
    {
        ErrorObject? error = null;
        try
        {
            Set(entry);
        }
        catch (EdgeDmException refused)
        {
            error = refused.Error;
        }
        ledger.Change(entry.CommandId, e => e with { Done = true, Error = error });
        return new(entry.CommandId, Read(), error);
    }

    private void Set(TimeEntry entry)
    {
        if (entry.NtpEnabled == false)
        {
            Clock.SetNtp(enabled: false);
        }
        if (entry.Time is { } right)
        {
            if (entry.AcceptedInstanceId != host.InstanceId)
            {
                throw ErrorRegistry.NoEffect.Refusal(
                    "time",
                    "The host went down before its clock was set, and what has passed since is not known."
                );
            }
            Clock.SetTime(right + (host.Uptime - entry.AcceptedUptime));
        }
        if (entry.Timezone is { } timezone)
        {
            Clock.SetTimezone(timezone);
        }
        if (entry.NtpEnabled == true)
        {
            Clock.SetNtp(enabled: true);
        }
    }

    private TimeEntry EntryOf(TimeRequest request) =>
        new(
            request.CommandId,
            request.Timezone,
            request.Time,
            request.NtpEnabled,
            Done: false,
            Error: null,
            time.GetUtcNow(),
            host.Uptime,
            host.InstanceId
        );

    private static void Check(TimeRequest request)
    {
        CommandIds.Require(request.CommandId);
        if (request is { Timezone: null, Time: null, NtpEnabled: null })
        {
            throw ErrorRegistry.MissingProperty.Refusal(Name, "One of timezone, time and ntpEnabled must be there.");
        }
        if (request is { Time: not null, NtpEnabled: true })
        {
            throw ErrorRegistry.InvalidValue.Refusal(
                "ntpEnabled",
                "time cannot be set while network time is turned on."
            );
        }
        if (
            request.Timezone is { } zone
            && (
                zone.Length is 0 or > LongestTimezone
                || !zone.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '_' or '-' or '+')
            )
        )
        {
            throw ErrorRegistry.InvalidValue.Refusal(
                "timezone",
                $"timezone must be an IANA name of at most {LongestTimezone} characters."
            );
        }
    }

    /// <summary>A clock far away from the present one is refused: certificates, tokens and logs hang on it.</summary>
    private TimeEntry RequireStep(TimeEntry entry)
    {
        if (entry.Time is { } right && (right - Clock.Read().Time).Duration() > options.MaxStep)
        {
            throw ErrorRegistry.InvalidValue.Refusal(
                "time",
                $"time is further from the host's clock than the {options.MaxStep.TotalDays:0} days that host-access.json allows.",
                ("maxStepDays", $"{options.MaxStep.TotalDays:0}")
            );
        }
        return entry;
    }

    private static string DetailOf(TimeRequest request) =>
        $"timezone {request.Timezone ?? "-"}, time {request.Time?.ToString("O") ?? "-"}, ntp {request.NtpEnabled?.ToString() ?? "-"}";

    private static HostTime Told(HostClockReading reading) =>
        new(reading.Time, reading.Timezone, reading.NtpAvailable, reading.NtpEnabled, reading.NtpSynchronized);
}
