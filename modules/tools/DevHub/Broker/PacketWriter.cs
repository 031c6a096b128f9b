using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Channels;

namespace EdgeDm.DevHub.Broker;

/// <summary>
/// The one writer of a connection: packets wait in order and are flushed together. A client that does not read fills the
/// queue and loses its connection.
/// </summary>
internal sealed class PacketWriter(PipeWriter output, int longestQueue)
{
    private readonly Channel<Packet> waiting = Channel.CreateBounded<Packet>(
        new BoundedChannelOptions(longestQueue) { SingleReader = true }
    );

    /// <summary>Puts a packet at the end of the queue; false when it is full or the connection ends.</summary>
    /// <param name="write">Encodes the packet, later, on the writer's task.</param>
    /// <param name="flushed">Set when the packet has left.</param>
    public bool TrySend(Action<IBufferWriter<byte>> write, TaskCompletionSource? flushed = null) =>
        waiting.Writer.TryWrite(new(write, flushed));

    /// <summary>No more packets; those that wait are still sent.</summary>
    public void Complete() => waiting.Writer.TryComplete();

    /// <summary>Sends until <see cref="Complete"/>, or until the connection is gone.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var sent = new List<TaskCompletionSource>();
        while (await waiting.Reader.WaitToReadAsync(cancellationToken))
        {
            while (waiting.Reader.TryRead(out var packet))
            {
                packet.Write(output);
                if (packet.Flushed is not null)
                {
                    sent.Add(packet.Flushed);
                }
            }
            var result = await output.FlushAsync(cancellationToken);
            sent.ForEach(s => s.TrySetResult());
            sent.Clear();
            if (result.IsCompleted)
            {
                return;
            }
        }
    }

    private readonly record struct Packet(Action<IBufferWriter<byte>> Write, TaskCompletionSource? Flushed);
}
