using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Page;

/// <summary>The newest lines of each module's output since the hub started. Safe for use by many threads.</summary>
internal sealed class ModuleLines(PageLimits limits)
{
    private readonly ConcurrentDictionary<string, Queue<ModuleLine>> kept = new(StringComparer.Ordinal);
    private long last;

    /// <summary>Keeps a line, without secrets and not longer than shown, and forgets the oldest when there are too many.</summary>
    public ModuleLine Add(string moduleId, string text)
    {
        var shown = text.Length > limits.EventBytes ? text[..limits.EventBytes] + " ..." : text;
        var line = new ModuleLine(Interlocked.Increment(ref last), moduleId, PageSecrets.Hide(shown));
        var lines = kept.GetOrAdd(moduleId, _ => new());
        lock (lines)
        {
            if (lines.Count == limits.LinesKept)
            {
                lines.Dequeue();
            }
            lines.Enqueue(line);
        }
        return line;
    }

    /// <summary>What a module wrote: <c>{"lines":[{"number":n,"text":".."}]}</c>.</summary>
    public JsonObject Document(string moduleId)
    {
        var lines = kept.GetValueOrDefault(moduleId) ?? new();
        lock (lines)
        {
            return new() { ["lines"] = new JsonArray([.. lines.Select(line => line.Document())]) };
        }
    }
}

/// <summary>A line that a module wrote.</summary>
/// <param name="Number">Grows with each line of any module.</param>
/// <param name="ModuleId">Whose.</param>
/// <param name="Text">Without its end.</param>
internal sealed record ModuleLine(long Number, string ModuleId, string Text) : IPageEvent
{
    public string Kind => "line";

    public JsonObject Document() =>
        new()
        {
            ["number"] = Number,
            ["module"] = ModuleId,
            ["text"] = Text,
        };
}
