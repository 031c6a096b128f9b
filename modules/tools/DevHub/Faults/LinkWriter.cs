using System.Buffers;
using System.IO.Pipelines;
using EdgeDm.Mqtt;

namespace EdgeDm.DevHub.Faults;

/// <summary>What the hub sends, as late as the faults say, without the packets that are dropped. Whole packets go by <see cref="WriteAsync"/>.</summary>
/// <param name="inner">To the client.</param>
/// <param name="link">Whose faults.</param>
internal sealed class LinkWriter(PipeWriter inner, ClientLink link) : PipeWriter
{
    /// <inheritdoc/>
    public override ValueTask<FlushResult> WriteAsync(
        ReadOnlyMemory<byte> source,
        CancellationToken cancellationToken = default
    ) =>
        link.Faults is { } faults
            ? WriteWithFaultsAsync(source, faults, cancellationToken)
            : inner.WriteAsync(source, cancellationToken);

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        link.Faults is null ? inner.FlushAsync(cancellationToken) : FlushWithFaultsAsync(cancellationToken);

    /// <inheritdoc/>
    public override void Advance(int bytes) => inner.Advance(bytes);

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

    /// <inheritdoc/>
    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    private async ValueTask<FlushResult> FlushWithFaultsAsync(CancellationToken cancellationToken)
    {
        await link.PassAsync(inner.CanGetUnflushedBytes ? inner.UnflushedBytes : 0, cancellationToken);
        return await inner.FlushAsync(cancellationToken);
    }

    private async ValueTask<FlushResult> WriteWithFaultsAsync(
        ReadOnlyMemory<byte> source,
        LinkFaults faults,
        CancellationToken cancellationToken
    )
    {
        var kept = faults.HasDrops ? WithoutDropped(source, faults) : source;
        await link.PassAsync(kept.Length, cancellationToken);
        return kept.IsEmpty ? default : await inner.WriteAsync(kept, cancellationToken);
    }

    private static ReadOnlyMemory<byte> WithoutDropped(ReadOnlyMemory<byte> source, LinkFaults faults)
    {
        var kept = new ArrayBufferWriter<byte>(source.Length);
        var rest = new ReadOnlySequence<byte>(source);
        while (!rest.IsEmpty)
        {
            var packet = rest;
            if (!MqttFrame.TryReadFrame(ref rest, int.MaxValue, out var frame))
            {
                throw new InvalidOperationException("The hub wrote a part of a packet.");
            }
            if (!faults.DropsSent(frame))
            {
                foreach (var piece in packet.Slice(0, rest.Start))
                {
                    kept.Write(piece.Span);
                }
            }
        }
        return kept.WrittenMemory;
    }
}
