using EdgeDm.Contracts;

namespace EdgeDm.HostAccess;

/// <summary>Errors as HostAccess tells them.</summary>
internal static class HostErrors
{
    /// <summary>The error object of this subsystem.</summary>
    public static ErrorObject Told(
        this ErrorCode code,
        string context,
        string what,
        params (string Name, string Value)[] parameters
    ) => code.Error(Subsystems.HostAccess, context, what, parameters);

    /// <summary>
    /// True for what is waited for, however long: a service of the host that is being restarted, and whoever holds up a reboot. A lock
    /// counts for HostAccess's own reboots as for a command's; host-access.json can pass over it.
    /// </summary>
    public static bool IsPassing(Exception error) =>
        error is EdgeDmException told
        && (
            told.Error.Code == ErrorRegistry.HostServiceUnavailable.Code
            || told.Error.Code == ErrorRegistry.RebootInhibited.Code
        );

    /// <summary>Whichever library refuses: it is this host that does.</summary>
    public static T AsOwn<T>(Func<T> judge)
    {
        try
        {
            return judge();
        }
        catch (EdgeDmException refusal) when (refusal.Error.Subsystem == Subsystems.Updates)
        {
            throw new EdgeDmException(refusal.Error with { Subsystem = Subsystems.HostAccess }, refusal);
        }
    }

    /// <summary>The exception of this subsystem.</summary>
    public static EdgeDmException Refusal(
        this ErrorCode code,
        string context,
        string what,
        params (string Name, string Value)[] parameters
    ) => code.Exception(Subsystems.HostAccess, context, what, parameters);
}
