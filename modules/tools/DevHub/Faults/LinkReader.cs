using System.Buffers;
using System.IO.Pipelines;
using EdgeDm.Mqtt;

namespace EdgeDm.DevHub.Faults;

/// <summary>What a client sends, as late as the faults say, without the packets that are dropped.</summary>
/// <param name="inner">All that the client sends.</param>
/// <param name="link">Whose faults.</param>
/// <param name="largestPacket">Most bytes of a packet.</param>
internal sealed class LinkReader(PipeReader inner, ClientLink link, int largestPacket) : PipeReader
{
    // What was handed over under faults: bytes that come again were delayed before.
    private ReadOnlySequence<byte> handed;
    private long known;

    // The next packet is to be dropped; that is decided once.
    private bool isNextDropped;

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        link.Faults is null && !isNextDropped
            ? inner.ReadAsync(cancellationToken)
            : ReadWithFaultsAsync(cancellationToken);

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        if (link.Faults is null && !isNextDropped)
        {
            return inner.TryRead(out result);
        }
        result = default; // Whoever wants it now has to wait.
        return false;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (!handed.IsEmpty)
        {
            known = handed.Slice(consumed).Length;
            handed = default;
        }
        inner.AdvanceTo(consumed, examined);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead() => inner.CancelPendingRead();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => inner.Complete(exception);

    private async ValueTask<ReadResult> ReadWithFaultsAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await link.WaitOutSilenceAsync(cancellationToken);
            var result = await inner.ReadAsync(cancellationToken);
            if (result.IsCanceled)
            {
                inner.AdvanceTo(result.Buffer.Start); // Other faults hold now.
                continue;
            }
            await link.PassAsync(result.Buffer.Length - known, cancellationToken);
            known = 0;
            if (WithoutDropped(result) is { } rest)
            {
                handed = rest.Buffer;
                return rest;
            }
        }
    }

    // Up to the first packet that is dropped; null when that stood in front, and is gone.
    private ReadResult? WithoutDropped(in ReadResult result)
    {
        if (!isNextDropped && link.Faults is not { HasDrops: true })
        {
            return result;
        }
        var rest = result.Buffer;
        while (true)
        {
            var start = rest.Start;
            if (!MqttFrame.TryReadFrame(ref rest, largestPacket, out var frame))
            {
                return result;
            }
            if (!isNextDropped && link.Faults?.DropsReceived(frame) is not true)
            {
                continue;
            }
            isNextDropped = !start.Equals(result.Buffer.Start);
            if (!isNextDropped)
            {
                inner.AdvanceTo(rest.Start);
                return null;
            }
            return new(result.Buffer.Slice(0, start), isCanceled: false, isCompleted: false);
        }
    }
}
