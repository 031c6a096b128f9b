using System.Globalization;
using EdgeDm.Contracts;

namespace EdgeDm.Cli;

/// <summary>One line for each change, with its time: for logs, pipes and CI. Within a step every tenth percent counts as a change.</summary>
internal sealed class PlainWatchView(Terminal terminal, TimeProvider time) : IWatchView
{
    private const int PercentPerLine = 10;
    private WatchState? shown;
    private bool waiting;

    public void Show(WatchState state)
    {
        if (!HasChanged(shown, state))
        {
            return;
        }
        shown = state;
        Line(Words(state));
    }

    public void Waiting()
    {
        if (!waiting)
        {
            waiting = true;
            Line("waiting for the gateway to take up the deployment");
        }
    }

    public void Away(string reason) => Line($"away: {reason}");

    public void Back() => Line("back");

    /// <summary>True when there is something new to tell.</summary>
    public static bool HasChanged(WatchState? before, WatchState now) =>
        before is null
        || before.JobId != now.JobId
        || before.Status != now.Status
        || before.Step != now.Step
        || before.Percent / PercentPerLine != now.Percent / PercentPerLine;

    /// <summary><c>fw-12  running  download  40 %  (25.6 of 64.0 MiB)</c>.</summary>
    public static string Words(WatchState state)
    {
        var name = state.JobId.Length > 0 ? state.JobId : TwinNames.FirmwareUpdate;
        if (state.IsTerminal || state.Step is null)
        {
            return $"{name}  {state.Status}";
        }
        var bytes = state is { Step: "download", Bytes: { Total: > 0 } download }
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"  ({ByteText.Of(download.Fetched + download.Reused)} of {ByteText.Of(download.Total)})"
            )
            : "";
        return $"{name}  {state.Status}  {state.Step}  {state.Percent} %{bytes}";
    }

    private void Line(string words) => terminal.Say($"{time.GetUtcNow():HH:mm:ss}Z  {words}");
}
