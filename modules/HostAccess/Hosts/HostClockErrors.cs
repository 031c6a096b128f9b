using EdgeDm.Contracts;

namespace EdgeDm.HostAccess.Hosts;

/// <summary>What every host says alike about its clock.</summary>
internal static class HostClockErrors
{
    public static EdgeDmException UnknownTimezone(string timezone) =>
        ErrorRegistry.InvalidValue.Refusal(
            "timezone",
            $"The host does not know the time zone '{timezone}'.",
            ("timezone", timezone)
        );

    public static EdgeDmException Synchronized() =>
        ErrorRegistry.ClockSynchronized.Refusal(
            "time",
            "The clock follows network time and would be set back to it at once."
        );
}
