namespace EdgeDm.HostAccess.Hosts;

/// <summary>
/// The host's clock, time zone and network time. Every change is answered with what the host then says: a service's success alone proves
/// nothing. A change that the host accepted and did not make throws <c>noEffect</c>.
/// </summary>
internal interface IHostClock
{
    /// <summary>Reads it, now.</summary>
    HostClockReading Read();

    /// <summary>Sets the time zone. Throws <c>invalidValue</c> when the host does not know it.</summary>
    /// <param name="timezone">IANA name, for example <c>Europe/Berlin</c>.</param>
    HostClockReading SetTimezone(string timezone);

    /// <summary>Sets the clock. Throws <c>clockSynchronized</c> while network time is on.</summary>
    HostClockReading SetTime(DateTimeOffset time);

    /// <summary>Turns network time on or off. Throws <c>notSupportedOnHost</c> when the host has none.</summary>
    HostClockReading SetNtp(bool enabled);
}

/// <summary>A host's clock as the host tells it.</summary>
/// <param name="Time">UTC.</param>
/// <param name="Timezone">IANA name.</param>
/// <param name="NtpAvailable">The host has a network time service.</param>
/// <param name="NtpEnabled">It is on.</param>
/// <param name="NtpSynchronized">The clock follows it.</param>
internal sealed record HostClockReading(
    DateTimeOffset Time,
    string Timezone,
    bool NtpAvailable,
    bool NtpEnabled,
    bool NtpSynchronized
);
