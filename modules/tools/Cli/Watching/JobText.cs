using EdgeDm.Contracts;

namespace EdgeDm.Cli;

/// <summary>A job in words.</summary>
internal static class JobText
{
    public static void Write(Terminal terminal, JobDocument job)
    {
        terminal.Say($"job       {job.JobId}  {job.Type}  {job.Status}");
        terminal.Say($"source    {job.Source}");
        if (job.UpdateId is { } update)
        {
            terminal.Say($"update    {update}");
        }
        terminal.Say($"created   {Time(job.CreatedTime)}");
        if (job.EndTime is { } end)
        {
            terminal.Say($"ended     {Time(end)}");
        }
        if (job.Bytes is { } bytes)
        {
            terminal.Say($"bytes     {bytes.Fetched} fetched, {bytes.Reused} reused, {bytes.Total} in total");
        }
        foreach (var step in job.Steps)
        {
            terminal.Say($"step      {Step(step, job)}");
        }
        if (job.Error is { } error)
        {
            terminal.Say($"error     {error.Code} {error.Name} ({error.Subsystem}, {error.Context}): {error.Message}");
        }
        if (job.Result is { } result)
        {
            terminal.Say($"result    {result.GetRawText()}");
        }
    }

    private static string Step(JobStepDocument step, JobDocument job)
    {
        var progress =
            step.EndedAt is { } ended ? $"{Time(ended)}  {(ended - step.StartedAt).TotalSeconds:0.0} s"
            : JobStatuses.IsTerminal(job.Status) ? "not ended"
            : $"{job.Percent} %";
        var attempts = step.Attempts > 1 ? $"  (begun {step.Attempts} times)" : "";
        return $"{step.Name, -10}{Time(step.StartedAt)}  {progress}{attempts}";
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss'Z'", null);
}
