using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>One JSON document per line and change: for programs.</summary>
internal sealed class JsonWatchView(Terminal terminal, TimeProvider time) : IWatchView
{
    private WatchState? shown;
    private bool waiting;

    public void Show(WatchState state)
    {
        if (shown is null || shown.Percent != state.Percent || PlainWatchView.HasChanged(shown, state))
        {
            shown = state;
            Line(state.ToJson());
        }
    }

    public void Waiting()
    {
        if (!waiting)
        {
            waiting = true;
            Line(new() { ["waiting"] = true });
        }
    }

    public void Away(string reason) => Line(new() { ["away"] = reason });

    public void Back() => Line(new() { ["back"] = true });

    private void Line(JsonObject document)
    {
        document.Insert(0, "time", time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", null));
        terminal.WriteJsonLine(document);
    }
}
