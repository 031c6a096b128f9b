using Microsoft.Extensions.Logging;

namespace EdgeDm.DeviceManagement.Jobs;

internal sealed partial class JobEngine
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Job {JobId} ({Type}) created by {Source}")]
    private static partial void LogCreated(ILogger logger, string jobId, string type, string source);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {JobId} ({Type}) runs, step {Step}")]
    private static partial void LogRuns(ILogger logger, string jobId, string type, string step);

    [LoggerMessage(Level = LogLevel.Information, Message = "Job {JobId} ended: {Status}, {Error}")]
    private static partial void LogEnded(ILogger logger, string jobId, string status, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "Job {JobId} waits: its record cannot be written")]
    private static partial void LogDisk(ILogger logger, Exception error, string jobId);

    [LoggerMessage(Level = LogLevel.Error, Message = "Job {JobId} broke")]
    private static partial void LogBroken(ILogger logger, Exception error, string jobId);
}
