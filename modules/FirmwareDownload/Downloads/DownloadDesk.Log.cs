using Microsoft.Extensions.Logging;

namespace EdgeDm.FirmwareDownload.Downloads;

/// <content>What it writes into the log; never an address.</content>
internal sealed partial class DownloadDesk
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Job {JobId}: request taken (known: {Known})")]
    private static partial void LogTaken(ILogger logger, string jobId, bool known);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Job {JobId}: asked again, is {State}")]
    private static partial void LogReminder(ILogger logger, string jobId, string state);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {JobId}: download of {Files} files begins")]
    private static partial void LogStart(ILogger logger, string jobId, int files);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Job {JobId}: {State}, {Fetched} bytes fetched, {Reused} reused"
    )]
    private static partial void LogEnd(ILogger logger, string jobId, string state, long fetched, long reused);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {JobId}: cancelled")]
    private static partial void LogCancelled(ILogger logger, string jobId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {JobId}: failed with {Name}: {Message}")]
    private static partial void LogFailed(ILogger logger, string jobId, string name, string message);

    [LoggerMessage(Level = LogLevel.Error, Message = "Job {JobId}: unexpected error")]
    private static partial void LogUnexpected(ILogger logger, Exception error, string jobId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {JobId}: not taken, {Waiting} requests wait already")]
    private static partial void LogLineFull(ILogger logger, string jobId, int waiting);

    [LoggerMessage(Level = LogLevel.Error, Message = "The work pauses for {Seconds} s")]
    private static partial void LogTrouble(ILogger logger, Exception error, double seconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed {Files} files that nothing needs any more")]
    private static partial void LogSwept(ILogger logger, int files);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Job {JobId}: a part could not be removed: {Reason}")]
    private static partial void LogPartStays(ILogger logger, string jobId, string reason);
}
