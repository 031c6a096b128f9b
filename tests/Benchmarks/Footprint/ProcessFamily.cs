using System.Diagnostics;

namespace EdgeDm.Benchmarks.Footprint;

/// <summary>
/// A parent and the processes it starts, which are the ones to be measured. The parent's output tells of them; it ends them all
/// and itself when its standard input ends, so also when this program is killed.
/// </summary>
internal sealed class ProcessFamily : IAsyncDisposable
{
    private const int LinesToShow = 40;
    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(30);

    private readonly Process parent;
    private readonly Lock gate = new();
    private readonly Queue<string> output = new();
    private readonly List<Member> members = [];
    private readonly TaskCompletionSource complete = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ProcessFamily(Process parent) => this.parent = parent;

    /// <summary>Those to be measured, in the order in which they were ready.</summary>
    public IReadOnlyList<Member> Members
    {
        get
        {
            lock (gate)
            {
                return [.. members];
            }
        }
    }

    /// <summary>Starts the parent, and returns when so many members are ready.</summary>
    /// <param name="start">The parent.</param>
    /// <param name="count">Members to wait for.</param>
    /// <param name="read">Reads one line of output; the member that it calls ready, or null.</param>
    /// <param name="cancellationToken">Ends all again.</param>
    /// <exception cref="BenchException">The parent ended, or the members are not ready in a minute.</exception>
    public static async Task<ProcessFamily> StartAsync(
        ProcessStartInfo start,
        int count,
        Func<string, Member?> read,
        CancellationToken cancellationToken
    )
    {
        start.UseShellExecute = false;
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        var family = new ProcessFamily(new() { StartInfo = start, EnableRaisingEvents = true });
        try
        {
            family.Start(count, read);
            await family.complete.Task.WaitAsync(LongestStart, cancellationToken);
            return family;
        }
        catch (TimeoutException)
        {
            var told = family.Describe("is not ready after a minute");
            await family.DisposeAsync();
            throw new BenchException(told);
        }
        catch
        {
            await family.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets time pass, and makes sure that all members were there all the time.</summary>
    /// <exception cref="BenchException">One was not.</exception>
    public async Task StayAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        await Task.Delay(time, cancellationToken);
        lock (gate)
        {
            // A member that was started anew was ready twice.
            var restarted = members.GroupBy(member => member.Name).FirstOrDefault(group => group.Count() > 1);
            if (restarted is not null)
            {
                throw new BenchException(Describe($"was not idle: {restarted.Key} was ready twice"));
            }
        }
        if (parent.HasExited)
        {
            throw new BenchException(Describe($"ended with {parent.ExitCode}"));
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        parent.StandardInput.Close();
        using var limit = new CancellationTokenSource(LongestStop);
        try
        {
            await parent.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            parent.Kill(entireProcessTree: true);
            await parent.WaitForExitAsync(CancellationToken.None);
        }
        parent.Dispose();
    }

    private void Start(int count, Func<string, Member?> read)
    {
        parent.OutputDataReceived += (_, line) => Take(line.Data);
        parent.ErrorDataReceived += (_, line) => Take(line.Data);
        parent.Exited += (_, _) => complete.TrySetException(new BenchException(Describe("ended too early")));
        parent.Start();
        parent.BeginOutputReadLine();
        parent.BeginErrorReadLine();

        void Take(string? line)
        {
            if (line is null)
            {
                return;
            }
            lock (gate)
            {
                output.Enqueue(line);
                if (output.Count > LinesToShow)
                {
                    output.Dequeue();
                }
                try
                {
                    if (read(line) is { } member)
                    {
                        members.Add(member);
                    }
                }
                catch (BenchException error)
                {
                    complete.TrySetException(error);
                }
                if (members.Count == count)
                {
                    complete.TrySetResult();
                }
            }
        }
    }

    private string Describe(string what)
    {
        lock (gate)
        {
            return $"{Path.GetFileName(parent.StartInfo.FileName)} {what}. Its last output:\n{string.Join('\n', output)}";
        }
    }
}

/// <summary>A process to be measured.</summary>
/// <param name="Name">Of the module, or of the bare host.</param>
/// <param name="ProcessId">The kernel's.</param>
/// <param name="StartToReady">From its start to the line in which it says that it is ready.</param>
internal sealed record Member(string Name, int ProcessId, TimeSpan StartToReady);
