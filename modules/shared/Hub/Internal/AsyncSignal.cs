using System.Threading.Tasks.Sources;

namespace EdgeDm.Hub.Internal;

/// <summary>
/// Wakes one waiter, or the next one who comes, behind the work that its thread has to do already: what that adds for the waiter is
/// there when it wakes. Allocates nothing.
/// </summary>
internal sealed class AsyncSignal : IValueTaskSource, IThreadPoolWorkItem
{
    private readonly Lock gate = new();
    private ManualResetValueTaskSourceCore<bool> source;
    private bool isSet;
    private bool isWaiting;

    public void Set()
    {
        lock (gate)
        {
            if (!isWaiting)
            {
                isSet = true;
                return;
            }
            isWaiting = false;
        }
        // A thread's own queue is last in, first out: the waiter would wake ahead of those who are still to add.
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => source.SetResult(true);

    /// <summary>For one waiter at a time.</summary>
    public ValueTask WaitAsync()
    {
        lock (gate)
        {
            if (isSet)
            {
                isSet = false;
                return ValueTask.CompletedTask;
            }
            source.Reset();
            isWaiting = true;
            return new(this, source.Version);
        }
    }

    void IValueTaskSource.GetResult(short token) => source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => source.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation,
        object? state,
        short token,
        ValueTaskSourceOnCompletedFlags flags
    ) => source.OnCompleted(continuation, state, token, flags);
}
