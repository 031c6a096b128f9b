using System.Text;

namespace EdgeDm.DevHub.Tests.Launching;

/// <summary>A writer that remembers whole lines and lets a test wait for one.</summary>
internal sealed class LineRecorder : TextWriter
{
    private readonly Lock gate = new();
    private readonly StringBuilder current = new();
    private readonly List<string> lines = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override Encoding Encoding => Encoding.UTF8;

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (gate)
            {
                return [.. lines];
            }
        }
    }

    public override void Write(char value) => Write(value.ToString());

    public override void Write(string? value)
    {
        lock (gate)
        {
            current.Append(value);
        }
    }

    public override void WriteLine(string? value)
    {
        lock (gate)
        {
            lines.Add(current.Append(value).ToString());
            current.Clear();
            changed.TrySetResult();
            changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>The first line from <paramref name="from"/> on that contains the text.</summary>
    public async Task<string> WaitForAsync(string text, int from = 0)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (lines.Skip(from).FirstOrDefault(l => l.Contains(text, StringComparison.Ordinal)) is { } line)
                {
                    return line;
                }
                next = changed.Task;
            }
            try
            {
                await next.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException error)
            {
                throw new TimeoutException($"No line with '{text}' came. Lines:\n{string.Join('\n', Lines)}", error);
            }
        }
    }
}
