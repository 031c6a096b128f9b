using Spectre.Console;

namespace EdgeDm.Cli;

/// <summary>A bar per step: for the person at the terminal.</summary>
internal sealed class BarWatchView(Terminal terminal) : IWatchView
{
    private const int Full = 100;
    private readonly Dictionary<string, ProgressTask> bars = new(StringComparer.Ordinal);
    private ProgressContext? progress;
    private ProgressTask? note;

    public Task<WatchState> RunAsync(Func<Task<WatchState>> watch) =>
        terminal
            .Ansi.Progress()
            .Columns(
                new SpinnerColumn(),
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new PercentageColumn()
            )
            .StartAsync(async context =>
            {
                progress = context;
                note = context.AddTask("waiting", maxValue: Full).IsIndeterminate();
                var end = await watch();
                note.Value = Full;
                return end;
            });

    public void Show(WatchState state)
    {
        Say(state.IsTerminal || state.Step is null ? state.Status : $"{state.Status}: {state.Step}");
        foreach (var step in state.Job?.Steps ?? [])
        {
            Bar(step.Name).Value = step.EndedAt is null ? state.Percent : Full;
        }
        if (state is { Step: { } present, IsTerminal: false })
        {
            var bar = Bar(present);
            bar.Value = state.Percent;
            if (present == "download" && state.Bytes is { Total: > 0 } bytes)
            {
                bar.Description = Markup.Escape(
                    $"{present} {ByteText.Of(bytes.Fetched + bytes.Reused)} of {ByteText.Of(bytes.Total)}"
                );
            }
        }
    }

    public void Waiting() => Say("waiting for the gateway to take it up");

    // The reason is a sentence, too long beside a bar; it is told when the waiting ends without success.
    public void Away(string reason) => Say("away, waiting for it to come back");

    public void Back() => Say("back");

    private void Say(string words)
    {
        if (note is not null)
        {
            note.Description = Markup.Escape(words);
        }
    }

    private ProgressTask Bar(string step)
    {
        if (!bars.TryGetValue(step, out var bar))
        {
            bar = bars[step] = progress!.AddTask(Markup.Escape(step), maxValue: Full);
        }
        return bar;
    }
}
