using EdgeDm.Hub.Internal;
using EdgeDm.Mqtt;

namespace EdgeDm.Hub;

public sealed partial class IoTHubSession
{
    private readonly PendingAcks pendingAcks;
    private readonly Stack<(PendingAck Pending, SubackPacket? Suback)> acknowledged = new(); // Of the read loop alone.
    private readonly ITimer ackTimer;
    private bool ackTimerRuns;

    /// <summary>One timer for all: it runs while something waits, and fires when the oldest may be late.</summary>
    private void OnAckTimer()
    {
        PendingAck[] late;
        lock (link.Gate)
        {
            if (end is not null)
            {
                return;
            }
            late = pendingAcks.RemoveAll(IsLate);
            ackTimerRuns = late.Length == 0 && !pendingAcks.IsEmpty;
            if (ackTimerRuns)
            {
                var waited = options.TimeProvider.GetElapsedTime(pendingAcks.Oldest);
                ackTimer.Change(options.OperationTimeout - waited, Timeout.InfiniteTimeSpan);
            }
        }
        if (late.Length == 0)
        {
            return;
        }
        // What the hub has or has not taken is no longer known: this connection is of no more use.
        var error = new TimeoutException(
            $"The hub did not acknowledge within {options.OperationTimeout.TotalSeconds} s."
        );
        TryEnd(SessionEndReason.AckTimeout, error);
        FailAll(late, error);

        bool IsLate(PendingAck pending) =>
            options.TimeProvider.GetElapsedTime(pending.SentAt) >= options.OperationTimeout;
    }

    private void OnAcknowledged(ushort packetId, SubackPacket? suback)
    {
        PendingAck? pending;
        var isOver = false;
        var sentMore = false;
        lock (link.Gate)
        {
            pending = pendingAcks.Remove(packetId);
            isOver = end is not null;
            // Here, not by whoever waits: so they leave in the order of the calls.
            while (!isOver && pendingAcks.Unpark() is { Topic: { } topic } next)
            {
                var payload = next.Payload;
                Publish(next, topic, payload.Span);
                sentMore = true;
            }
        }
        if (sentMore)
        {
            link.Wake();
        }
        if (pending is not null)
        {
            acknowledged.Push((pending, suback));
        }
        else if (!isOver) // Else it failed with the session; the answer to its farewell came late.
        {
            LogDropped(logger, "PUBACK, SUBACK or UNSUBACK", $"packet id {packetId} is not open");
        }
    }

    /// <summary>
    /// Wakes the senders of what was acknowledged together, the newest first: who waits for the oldest finds the others done and goes on without a
    /// wait for each, and a pool thread resumes its newest work first, so in the order of the calls.
    /// </summary>
    private void TellAcknowledged()
    {
        while (acknowledged.TryPop(out var next))
        {
            var held = next.Pending.HoldsWindow; // Its sender may use it for the next message at once.
            next.Pending.Complete(next.Suback);
            CountOut(held);
        }
    }

    private void FailPending()
    {
        PendingAck[] open;
        PendingAck[] parked;
        TaskCompletionSource<TwinReply>[] waiting;
        lock (link.Gate)
        {
            open = pendingAcks.RemoveAll(_ => true);
            parked = pendingAcks.RemoveParked();
            waiting = [.. pendingReplies.Values];
            pendingReplies.Clear();
        }
        FailAll(open, error: null);
        foreach (var pending in parked)
        {
            pending.Fail(EndedError(outcomeUnknown: false)); // Nothing of it has left.
        }
        foreach (var reply in waiting)
        {
            reply.TrySetException(EndedError(outcomeUnknown: true));
            _ = reply.Task.Exception; // Its caller may have given up waiting.
        }
    }

    /// <param name="packets">Sent, and no longer in the table.</param>
    /// <param name="error">Null = how the session ended, an exception for each.</param>
    private void FailAll(PendingAck[] packets, Exception? error)
    {
        foreach (var pending in packets)
        {
            var held = pending.HoldsWindow;
            pending.Fail(error ?? EndedError(outcomeUnknown: true));
            CountOut(held);
        }
    }

    private static void CountOut(bool heldWindow)
    {
        if (heldWindow)
        {
            HubInstruments.InflightChanged(-1);
        }
    }
}
