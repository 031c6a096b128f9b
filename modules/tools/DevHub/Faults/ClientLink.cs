using System.IO.Pipelines;
using EdgeDm.DevHub.Identities;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace EdgeDm.DevHub.Faults;

/// <summary>
/// A client's connection with the faults that were asked for. It is the only place where MQTT meets them: to the broker it is a
/// connection like any. While nothing is wrong it costs one comparison for each read and each write.
/// </summary>
internal sealed class ClientLink : ConnectionContext, IDuplexPipe
{
    private readonly ConnectionContext inner;
    private readonly FaultBoard board;
    private volatile LinkFaults? faults;

    /// <param name="inner">The connection itself, behind TLS.</param>
    /// <param name="board">Told when it comes to be known whose it is, and when it ends.</param>
    /// <param name="largestPacket">Most bytes of a packet that the client sends.</param>
    public ClientLink(ConnectionContext inner, FaultBoard board, int largestPacket)
    {
        this.inner = inner;
        this.board = board;
        Input = new LinkReader(inner.Transport.Input, this, largestPacket);
        Output = new LinkWriter(inner.Transport.Output, this);
    }

    /// <summary>What is wrong now; null = nothing.</summary>
    public LinkFaults? Faults => faults;

    /// <summary>Whose it is; null until it has said so.</summary>
    public HubIdentity? Client { get; private set; }

    /// <inheritdoc/>
    public PipeReader Input { get; }

    /// <inheritdoc/>
    public PipeWriter Output { get; }

    /// <inheritdoc/>
    public override IDuplexPipe Transport
    {
        get => this;
        set => throw new NotSupportedException("A link keeps its transport.");
    }

    /// <inheritdoc/>
    public override string ConnectionId
    {
        get => inner.ConnectionId;
        set => inner.ConnectionId = value;
    }

    /// <inheritdoc/>
    public override IFeatureCollection Features => inner.Features;

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items
    {
        get => inner.Items;
        set => inner.Items = value;
    }

    /// <inheritdoc/>
    public override CancellationToken ConnectionClosed
    {
        get => inner.ConnectionClosed;
        set => inner.ConnectionClosed = value;
    }

    /// <inheritdoc/>
    public override System.Net.EndPoint? LocalEndPoint
    {
        get => inner.LocalEndPoint;
        set => inner.LocalEndPoint = value;
    }

    /// <inheritdoc/>
    public override System.Net.EndPoint? RemoteEndPoint
    {
        get => inner.RemoteEndPoint;
        set => inner.RemoteEndPoint = value;
    }

    /// <summary>The client has said who it is: from now on its faults hold. False = its connections are cut, this one too.</summary>
    public bool TryEnter(HubIdentity client)
    {
        Client = client;
        board.Enter(this, client);
        return faults is not { IsReset: true } and not { IsSilent: true };
    }

    /// <summary>Others hold from now on. Called by the board, one at a time.</summary>
    public void Change(LinkFaults? now)
    {
        var before = faults;
        faults = now;
        before?.Replace();
        if (now is { IsReset: true })
        {
            inner.Abort(new ConnectionAbortedException("The connection is cut on purpose."));
            return;
        }
        Input.CancelPendingRead(); // It began under other faults.
    }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason)
    {
        // In silence the client must not hear of it; then the socket is closed when that is over.
        if (faults is not { IsSilent: true })
        {
            inner.Abort(abortReason);
        }
    }

    /// <summary>Returns when so many bytes may pass.</summary>
    public async ValueTask PassAsync(long bytes, CancellationToken cancellationToken)
    {
        while (faults is { } now)
        {
            var wait = now.TimeFor(bytes);
            if (wait == TimeSpan.Zero || await now.WaitAsync(wait, cancellationToken))
            {
                return;
            }
        }
    }

    /// <summary>Returns when the client is not cut off in silence; true when it was.</summary>
    public async ValueTask<bool> WaitOutSilenceAsync(CancellationToken cancellationToken)
    {
        var was = false;
        while (faults is { IsSilent: true } silence)
        {
            was = true;
            await silence.WaitAsync(Timeout.InfiniteTimeSpan, cancellationToken);
        }
        return was;
    }

    /// <summary>The hub has let go of the connection. Returns when the client may hear of it.</summary>
    public async Task LeaveAsync()
    {
        try
        {
            if (await WaitOutSilenceAsync(inner.ConnectionClosed))
            {
                inner.Abort(new ConnectionAbortedException("The connection was cut on purpose."));
            }
        }
        catch (OperationCanceledException)
        {
            // The client has closed it.
        }
        finally
        {
            board.Leave(this);
        }
    }
}
