namespace EdgeDm.ModuleHost;

/// <summary>Wakes one waiting loop: set any number of times, it wakes once.</summary>
internal sealed class Signal
{
    private readonly Lock gate = new();
    private TaskCompletionSource source = New();

    public void Set()
    {
        lock (gate)
        {
            source.TrySetResult();
        }
    }

    /// <summary>Waits for the next <see cref="Set"/>, or returns at once when there was one since the last wait.</summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        Task wait;
        lock (gate)
        {
            wait = source.Task;
        }
        await wait.WaitAsync(cancellationToken);
        lock (gate)
        {
            source = New();
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
