using EdgeDm.HostAccess.Audit;

namespace EdgeDm.HostAccess.Api;

/// <summary>What is known of a connection: its socket and its peer. A feature of the connection and so of each request.</summary>
internal sealed record ApiConnection(HostSocket Socket, Caller Caller)
{
    /// <summary>True when host-access.json lists the peer's user for this socket.</summary>
    public bool IsAllowed => Caller.UserId is { } user && Socket.Callers.Contains(user);
}
