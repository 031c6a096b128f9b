using System.Buffers;
using System.IO.Pipelines;

namespace EdgeDm.DevHub.Broker;

/// <summary>
/// What a connection sends: packets are encoded into a buffer by whoever sends them, and leave together. Whoever flushes first writes,
/// on its own thread as long as the connection takes it, and goes on for the others. A client that does not read fills the
/// buffer and loses its connection. Safe for use by many threads.
/// </summary>
/// <param name="output">The connection.</param>
/// <param name="longestQueue">Packets that may wait while others are written.</param>
/// <param name="lost">Told once when the connection takes no more.</param>
/// <param name="closing">The connection ends: what does not leave at once is given up.</param>
internal sealed class PacketWriter(
    PipeWriter output,
    int longestQueue,
    Action<Exception?> lost,
    CancellationToken closing
)
{
    private readonly Lock gate = new();
    private ArrayBufferWriter<byte> filling = new();
    private ArrayBufferWriter<byte> spare = new();
    private List<Action>? sentOfFilling;
    private int packets;
    private bool isWriting;
    private bool isComplete;
    private bool isLost;
    private TaskCompletionSource? written;

    /// <summary>Puts a packet behind the others; false when too many wait or the connection ends. <see cref="Flush"/> sends it.</summary>
    /// <param name="packet">What.</param>
    /// <param name="write">Encodes it, now.</param>
    /// <param name="sent">Called when it has left.</param>
    public bool TryAdd<T>(T packet, Action<IBufferWriter<byte>, T> write, Action? sent = null)
    {
        lock (gate)
        {
            if (isComplete || packets == longestQueue)
            {
                return false;
            }
            write(filling, packet);
            packets++;
            if (sent is not null)
            {
                (sentOfFilling ??= []).Add(sent);
            }
            return true;
        }
    }

    /// <summary>Sends what waits, unless somebody does.</summary>
    public void Flush()
    {
        lock (gate)
        {
            if (isWriting || packets == 0)
            {
                return;
            }
            isWriting = true;
        }
        _ = WriteAsync();
    }

    /// <summary>Takes no more packets. Completes when those that wait have left, or are given up.</summary>
    public Task CompleteAsync()
    {
        Flush();
        lock (gate)
        {
            isComplete = true;
            return isWriting && !isLost
                ? (written = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task
                : Task.CompletedTask;
        }
    }

    private async Task WriteAsync()
    {
        try
        {
            while (TakeFilling(out var sent) is { } full)
            {
                var result = await output.WriteAsync(full.WrittenMemory, closing);
                full.ResetWrittenCount();
                spare = full;
                sent?.ForEach(told => told());
                if (result.IsCompleted)
                {
                    End(error: null);
                    return;
                }
            }
        }
        catch (Exception error)
        {
            End(error);
        }
    }

    private void End(Exception? error)
    {
        lock (gate)
        {
            isLost = true;
            isComplete = true;
            written?.TrySetResult();
        }
        lost(error);
    }

    private ArrayBufferWriter<byte>? TakeFilling(out List<Action>? sent)
    {
        lock (gate)
        {
            sent = sentOfFilling;
            sentOfFilling = null;
            if (packets == 0)
            {
                isWriting = false;
                written?.TrySetResult();
                return null;
            }
            packets = 0;
            var full = filling;
            filling = spare;
            return full;
        }
    }
}
