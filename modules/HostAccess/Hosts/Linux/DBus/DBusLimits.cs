namespace EdgeDm.HostAccess.Hosts.Linux.DBus;

/// <summary>
/// Bounds of the D-Bus client. The specification's own are for any program; these are for the few services that are asked here, whose
/// longest answer is a list of units of some hundred kilobytes.
/// </summary>
internal sealed record DBusLimits
{
    /// <summary>Bytes of one message, header included. The specification allows 128 MiB.</summary>
    public int MaxMessage { get; init; } = 1024 * 1024;

    /// <summary>Bytes of one array. The specification allows 64 MiB.</summary>
    public int MaxArray { get; init; } = 512 * 1024;

    /// <summary>Containers and variants within each other. The specification allows 64.</summary>
    public int MaxDepth { get; init; } = 16;

    /// <summary>Calls that wait for their answer, and messages that wait to be sent.</summary>
    public int MaxPendingCalls { get; init; } = 64;

    /// <summary>Subscriptions at once.</summary>
    public int MaxSubscriptions { get; init; } = 32;

    /// <summary>Signals of one subscription that were not read yet; one more ends the subscription.</summary>
    public int MaxQueuedSignals { get; init; } = 256;

    /// <summary>Bytes of a line of the handshake.</summary>
    public int MaxHandshakeLine { get; init; } = 512;

    /// <summary>Time for connecting, handshake included.</summary>
    public TimeSpan ConnectTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Time for a call that names none; libdbus's own default.</summary>
    public TimeSpan CallTime { get; init; } = TimeSpan.FromSeconds(25);
}
