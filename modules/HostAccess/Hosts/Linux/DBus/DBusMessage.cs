namespace EdgeDm.HostAccess.Hosts.Linux.DBus;

/// <summary>One message (D-Bus Specification, "Message Protocol").</summary>
internal sealed record DBusMessage(DBusMessageKind Kind)
{
    /// <summary>Number of the sender's message; 0 until it is sent.</summary>
    public uint Serial { get; init; }

    /// <summary>The sender takes no answer.</summary>
    public bool NoReply { get; init; }

    /// <summary>The object that is called or that signals.</summary>
    public string? Path { get; init; }

    public string? Interface { get; init; }

    public string? Member { get; init; }

    public string? ErrorName { get; init; }

    /// <summary>The call that this answers.</summary>
    public uint ReplySerial { get; init; }

    public string? Destination { get; init; }

    /// <summary>The unique name of who sent it, as the bus stamps it.</summary>
    public string? Sender { get; init; }

    /// <summary>Types of <see cref="Body"/>.</summary>
    public string Signature { get; init; } = "";

    /// <summary>The values, as <see cref="DBusReader"/> gives them.</summary>
    public IReadOnlyList<object> Body { get; init; } = [];

    /// <summary>A value of the body.</summary>
    /// <exception cref="DBusFormatException">There is none, or it is of another type.</exception>
    public T Read<T>(int index = 0) =>
        index < Body.Count && Body[index] is T value
            ? value
            : throw new DBusFormatException(
                $"{Member ?? "An answer"} brought '{Signature}' where value {index + 1} should be a {typeof(T).Name}."
            );
}

/// <summary>Kinds of messages. Others may come and are to be ignored.</summary>
internal enum DBusMessageKind : byte
{
    Invalid = 0,
    Call = 1,
    Return = 2,
    Error = 3,
    Signal = 4,
}

/// <summary>A value that brings its type along.</summary>
/// <param name="Signature">Exactly one type.</param>
/// <param name="Value">The value.</param>
internal sealed record DBusVariant(string Signature, object Value);

/// <summary>A method to call.</summary>
/// <param name="Destination">A bus name.</param>
/// <param name="Path">An object path.</param>
/// <param name="Interface">The method's interface.</param>
/// <param name="Member">The method.</param>
/// <param name="Signature">Types of the arguments.</param>
/// <param name="Arguments">The arguments, as <see cref="DBusWriter"/> takes them.</param>
internal sealed record DBusCall(
    string Destination,
    string Path,
    string Interface,
    string Member,
    string Signature = "",
    params object[] Arguments
)
{
    /// <summary>Time for the answer; null = <see cref="DBusLimits.CallTime"/>.</summary>
    public TimeSpan? TimeLimit { get; init; }
}

/// <summary>Which signals to get.</summary>
/// <param name="Sender">The bus name that owns the signal; what others send in its name is not taken.</param>
/// <param name="Path">The object.</param>
/// <param name="Interface">The signal's interface.</param>
/// <param name="Member">The signal.</param>
/// <param name="Argument">The signal's first argument, which must be text; null = any.</param>
internal sealed record DBusMatch(string Sender, string Path, string Interface, string Member, string? Argument = null)
{
    /// <summary>The rule as the bus takes it.</summary>
    public string Rule =>
        $"type='signal',sender='{Sender}',path='{Path}',interface='{Interface}',member='{Member}'"
        + (Argument is null ? "" : $",arg0='{Argument}'");

    /// <summary>True for such a signal, whoever sent it.</summary>
    public bool Fits(DBusMessage signal) =>
        signal.Path == Path
        && signal.Interface == Interface
        && signal.Member == Member
        && (Argument is null || (signal.Body is [string first, ..] && first == Argument));
}
