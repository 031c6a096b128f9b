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

    /// <summary>The exception of this subsystem.</summary>
    public static EdgeDmException Refusal(
        this ErrorCode code,
        string context,
        string what,
        params (string Name, string Value)[] parameters
    ) => code.Exception(Subsystems.HostAccess, context, what, parameters);
}
