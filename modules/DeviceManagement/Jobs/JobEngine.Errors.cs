using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Jobs;

/// <content>How a job's end is told when the engine ended it.</content>
internal sealed partial class JobEngine
{
    private static ErrorObject JobError(
        Job job,
        ErrorCode code,
        string what,
        params (string Name, string Value)[] parameters
    ) =>
        code.Error(
            Subsystems.DeviceManagement,
            job.Record.Steps.LastOrDefault()?.Name ?? "job",
            $"Job '{job.Record.JobId}' {what}",
            parameters
        );

    private static ErrorObject TimedOut(Job job, TimeSpan allowed)
    {
        var seconds = $"{allowed.TotalSeconds:0}";
        var what = $"did not end within {seconds} s.";
        return job.Record.Error is { } reason
            ? JobError(
                job,
                ErrorRegistry.JobTimedOut,
                $"{what} It waited: {reason.Message}",
                ("seconds", seconds),
                ("waitedFor", reason.Name)
            )
            : JobError(job, ErrorRegistry.JobTimedOut, what, ("seconds", seconds));
    }
}
