using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess;

/// <summary>
/// The pauses of work that is on record and goes on until it is done: the host is held up, a service of it is away, a disk is full. What it
/// waits for may last, and is told once.
/// </summary>
/// <param name="work">For people, for example <c>Reboot command r1</c>.</param>
/// <param name="time">For the pauses.</param>
/// <param name="logger">Told what it waits for.</param>
internal sealed partial class HostRetry(string work, TimeProvider time, ILogger logger)
{
    /// <summary>Until the next try.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private string? waitedFor;

    /// <summary>True for what is waited for, however long: what <see cref="HostErrors.IsPassing"/> names, and a full disk.</summary>
    public static bool IsWaitedFor(Exception error) => error is IOException || HostErrors.IsPassing(error);

    /// <summary>Waits until the next try.</summary>
    /// <param name="error">Why the last one failed.</param>
    /// <param name="cancel">Ends the wait.</param>
    public Task PauseAsync(Exception error, CancellationToken cancel)
    {
        if (!HostErrors.IsPassing(error))
        {
            LogRetry(logger, error, work, Pause.TotalSeconds);
        }
        else if (error.Message != waitedFor)
        {
            LogWaits(logger, work, Pause.TotalSeconds, error.Message);
            waitedFor = error.Message;
        }
        return Task.Delay(Pause, time, cancel);
    }

    /// <summary>It went on: what it waits for next is told again.</summary>
    public void WentOn() => waitedFor = null;

    [LoggerMessage(Level = LogLevel.Error, Message = "{Work} could not go on; trying again in {Seconds} s")]
    private static partial void LogRetry(ILogger logger, Exception error, string work, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Work} waits, and is tried again every {Seconds} s: {Reason}")]
    private static partial void LogWaits(ILogger logger, string work, double seconds, string reason);
}
