using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace EdgeDm.Benchmarks.Session;

/// <summary>A client in a process of its own, which does what it is told by lines of JSON and does nothing meanwhile.</summary>
internal sealed class ClientProcess : IAsyncDisposable
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(10);

    private readonly Process process;
    private readonly string name;
    private readonly ConcurrentQueue<string> errors = new();

    private ClientProcess(Process process, string name)
    {
        this.process = process;
        this.name = name;
        process.ErrorDataReceived += (_, line) => errors.Enqueue(line.Data ?? "");
        process.BeginErrorReadLine();
    }

    /// <summary>The kernel's number.</summary>
    public int Id => process.Id;

    /// <summary>User and system time until now, what it has started included.</summary>
    public TimeSpan Processor => ProcessSample.ProcessorOfTree(Id);

    /// <summary>Starts one.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="command">The program and its arguments.</param>
    public static ClientProcess Start(string name, IEnumerable<string> command)
    {
        var words = command.ToList();
        var start = new ProcessStartInfo(words[0], words.Skip(1))
        {
            UseShellExecute = false,
            RedirectStandardInput = true, // Its end ends the client, so a killed bench leaves nothing behind.
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new(Process.Start(start)!, name);
    }

    /// <summary>Has it do something, and returns what came of it.</summary>
    /// <exception cref="BenchException">It could not, or not in time.</exception>
    public async Task<JsonNode?> CallAsync(
        string call,
        JsonObject? with,
        TimeSpan limit,
        CancellationToken cancellationToken
    )
    {
        var line = with?.DeepClone().AsObject() ?? [];
        line["call"] = call;
        string? answer;
        try
        {
            await process.StandardInput.WriteLineAsync(line.ToJsonString());
            await process.StandardInput.FlushAsync(cancellationToken);
            answer = await process
                .StandardOutput.ReadLineAsync(cancellationToken)
                .AsTask()
                .WaitAsync(limit, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw Failed(call, $"did not end within {limit.TotalSeconds:0} s");
        }
        catch (IOException error)
        {
            throw Failed(call, error.Message);
        }
        var parsed = answer is null ? throw Failed(call, "the client ended") : JsonNode.Parse(answer)!;
        return parsed["error"] is { } failure ? throw Failed(call, (string)failure!) : parsed["result"];
    }

    public async ValueTask DisposeAsync()
    {
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(StopPatience);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
        process.Dispose();
    }

    private BenchException Failed(string call, string why) =>
        new($"{name}: '{call}': {why}. {string.Join('\n', errors)}".TrimEnd());
}
