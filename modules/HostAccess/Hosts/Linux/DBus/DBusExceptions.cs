namespace EdgeDm.HostAccess.Hosts.Linux.DBus;

/// <summary>Something between this program and a service on the bus went wrong.</summary>
internal abstract class DBusException : Exception
{
    protected DBusException(string message, Exception? inner = null)
        : base(message, inner) { }
}

/// <summary>The bus, or the service that was called, answered with an error.</summary>
/// <param name="name">For example <c>org.freedesktop.DBus.Error.ServiceUnknown</c>.</param>
/// <param name="text">The peer's words; may be empty.</param>
internal sealed class DBusErrorException(string name, string text)
    : DBusException(text.Length == 0 ? name : $"{name}: {text}")
{
    /// <summary>The D-Bus error name.</summary>
    public string Name { get; } = name;

    /// <summary>The peer's words; may be empty.</summary>
    public string Text { get; } = text;
}

/// <summary>There is no connection, it ended, or it is full. Whether a call that was under way was carried out is not known.</summary>
internal sealed class DBusConnectionException(string message, Exception? inner = null) : DBusException(message, inner);

/// <summary>No answer came in time. Whether the call was carried out is not known.</summary>
internal sealed class DBusTimeoutException(string message) : DBusException(message);

/// <summary>Bytes that are no D-Bus message, a value that is not what its signature says, or more than a bound allows.</summary>
internal sealed class DBusFormatException(string message) : DBusException(message);
