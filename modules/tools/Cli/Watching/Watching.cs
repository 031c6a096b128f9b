namespace EdgeDm.Cli;

/// <summary>Watches and tells the end; what <c>job watch</c>, <c>job create --watch</c> and <c>update deploy --watch</c> have in common.</summary>
internal static class Watching
{
    /// <summary>Returns the exit code of the job's outcome.</summary>
    public static async Task<int> RunAsync(
        IWatchSource source,
        WatchSettings settings,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var terminal = context.Terminal;
        IWatchView view =
            terminal.Json ? new JsonWatchView(terminal, context.Time)
            : terminal.IsInteractive && !settings.Plain ? new BarWatchView(terminal)
            : new PlainWatchView(terminal, context.Time);
        var watcher = new JobWatcher(source, view, settings.Limits, context.Time);
        var end = await view.RunAsync(() => watcher.RunAsync(cancellationToken));
        if (!terminal.Json)
        {
            Tell(terminal, end);
        }
        return end.ExitCode;
    }

    private static void Tell(Terminal terminal, WatchState end)
    {
        if (end.Job is { } job)
        {
            JobText.Write(terminal, job);
        }
        else if (end.Error is { } error)
        {
            terminal.Say($"error     {error.Code} {error.Name} ({error.Subsystem}, {error.Context}): {error.Message}");
        }
    }
}
