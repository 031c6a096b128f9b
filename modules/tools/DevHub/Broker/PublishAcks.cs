namespace EdgeDm.DevHub.Broker;

/// <summary>
/// PUBACKs in the order of the PUBLISHes (MQTT 3.1.1, 4.6.0), each once its message is kept. The next PUBLISH is taken meanwhile,
/// so messages that come together are kept together.
/// </summary>
/// <param name="acknowledge">Adds a PUBACK to what is sent.</param>
/// <param name="flush">Sends it.</param>
/// <param name="notKept">Told when a message cannot be kept; nothing more is acknowledged then.</param>
/// <param name="most">Messages that may be on their way to be kept; the connection is not read beyond.</param>
internal sealed class PublishAcks(Action<ushort> acknowledge, Action flush, Action<HubException> notKept, int most)
{
    private readonly Lock gate = new();
    private readonly Queue<(Task Kept, ushort PacketId)> waiting = new();
    private bool isDraining;

    /// <summary>A PUBLISH came. Completes when the next may be taken.</summary>
    public ValueTask AddAsync(ValueTask kept, ushort packetId)
    {
        lock (gate)
        {
            if (!isDraining && kept.IsCompletedSuccessfully)
            {
                acknowledge(packetId);
                return kept;
            }
            var task = kept.AsTask();
            waiting.Enqueue((task, packetId));
            if (!isDraining)
            {
                isDraining = true;
                _ = DrainAsync();
            }
            return waiting.Count < most
                ? ValueTask.CompletedTask
                : new(task.ContinueWith(_ => { }, TaskScheduler.Default));
        }
    }

    private async Task DrainAsync()
    {
        while (Oldest() is { } oldest)
        {
            if (!oldest.Kept.IsCompleted)
            {
                flush();
            }
            try
            {
                await oldest.Kept;
            }
            catch (HubException error)
            {
                notKept(error);
                return;
            }
            catch (OperationCanceledException)
            {
                return; // The connection ends.
            }
            lock (gate)
            {
                waiting.Dequeue();
                acknowledge(oldest.PacketId);
            }
        }
    }

    private (Task Kept, ushort PacketId)? Oldest()
    {
        lock (gate)
        {
            if (waiting.TryPeek(out var oldest))
            {
                return oldest;
            }
            isDraining = false;
        }
        flush();
        return null;
    }
}
