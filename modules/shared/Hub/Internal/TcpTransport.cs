namespace EdgeDm.Hub.Internal;

/// <summary>TCP and TLS.</summary>
internal sealed class TcpTransport : HubTransport
{
    public static readonly TcpTransport Instance = new();

    private TcpTransport() { }

    /// <inheritdoc />
    public override string ToString() => "TCP";

    internal override int DefaultPort => 8883;

    internal override ValueTask<Stream> ConnectAsync(HubSessionOptions options, CancellationToken cancellationToken) =>
        HubConnector.ConnectTlsAsync(options, options.TargetHost, options.Port, cancellationToken);
}

/// <summary>TCP alone.</summary>
internal sealed class PlainTransport : HubTransport
{
    public static readonly PlainTransport Instance = new();

    private PlainTransport() { }

    /// <inheritdoc />
    public override string ToString() => "TCP without TLS";

    internal override int DefaultPort => 1883;

    internal override ValueTask<Stream> ConnectAsync(HubSessionOptions options, CancellationToken cancellationToken) =>
        HubConnector.ConnectAsync(options, options.TargetHost, options.Port, cancellationToken);
}
