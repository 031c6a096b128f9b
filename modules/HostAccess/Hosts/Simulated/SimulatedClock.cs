namespace EdgeDm.HostAccess.Hosts.Simulated;

/// <summary>The simulated host's clock: the machine's, moved by what was set.</summary>
/// <param name="time">The machine's clock.</param>
/// <param name="read">The host's settings, as they are now.</param>
/// <param name="change">Changes them; on disk when it returns.</param>
internal sealed class SimulatedClock(
    TimeProvider time,
    Func<SimulatedClockSettings> read,
    Action<Func<SimulatedClockSettings, SimulatedClockSettings>> change
) : IHostClock
{
    public HostClockReading Read()
    {
        var settings = read();
        return new(
            time.GetUtcNow() + settings.Offset,
            settings.Timezone ?? time.LocalTimeZone.Id,
            NtpAvailable: true,
            settings.NtpEnabled,
            NtpSynchronized: settings.NtpEnabled
        );
    }

    public HostClockReading SetTimezone(string timezone)
    {
        if (!TimeZoneInfo.TryFindSystemTimeZoneById(timezone, out _))
        {
            throw HostClockErrors.UnknownTimezone(timezone);
        }
        change(settings => settings with { Timezone = timezone });
        return Read();
    }

    public HostClockReading SetTime(DateTimeOffset wanted)
    {
        change(settings =>
            settings.NtpEnabled
                ? throw HostClockErrors.Synchronized()
                : settings with
                {
                    Offset = wanted - time.GetUtcNow(),
                }
        );
        return Read();
    }

    public HostClockReading SetNtp(bool enabled)
    {
        change(settings => settings with { NtpEnabled = enabled, Offset = enabled ? TimeSpan.Zero : settings.Offset });
        return Read();
    }
}

/// <summary>What was set.</summary>
/// <param name="Timezone">Null = the machine's.</param>
/// <param name="NtpEnabled">Network time, which is the machine's clock.</param>
/// <param name="Offset">How far the clock is ahead of the machine's.</param>
internal sealed record SimulatedClockSettings(string? Timezone, bool NtpEnabled, TimeSpan Offset)
{
    /// <summary>Nothing was set.</summary>
    public static SimulatedClockSettings Fresh { get; } = new(null, NtpEnabled: true, TimeSpan.Zero);
}
