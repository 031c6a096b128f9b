using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using EdgeDm.Testing;

namespace EdgeDm.Interop.Tests;

/// <summary>
/// An official client in a Node process of its own, told what to do and asked what happened by lines of JSON; the other end
/// is <c>Node/peer.js</c>.
/// </summary>
internal sealed class NodePeer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process process;
    private readonly Task reading;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode?>> calls = new();
    private readonly ConcurrentDictionary<string, Channel<JsonNode?>> events = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> errors = new();
    private Exception? end;
    private int lastCall;

    private NodePeer(Process process)
    {
        this.process = process;
        process.ErrorDataReceived += (_, line) => errors.Enqueue(line.Data ?? "");
        process.BeginErrorReadLine();
        reading = ReadAsync();
    }

    /// <summary>Folder of the peers and their packages.</summary>
    public static string Folder { get; } = Path.Combine(RepositoryRoot.Path, "tests", "Interop.Tests", "Node");

    /// <summary>Why peers cannot run here and how to mend it; null = they can.</summary>
    public static string? Obstacle { get; } =
        NodeProgram() is null
            ? "Node.js is not installed. Install Node.js 20 or later (https://nodejs.org), then run ./scripts/test Interop."
        : !Directory.Exists(Path.Combine(Folder, "node_modules"))
            ? "The official Node clients are not installed. Run ./scripts/test Interop, or npm ci in tests/Interop.Tests/Node."
        : null;

    /// <summary>Starts a peer.</summary>
    /// <param name="kind">Of client: a file of the folder, without its extension.</param>
    /// <param name="environmentFile">Its environment, for a shell (<c>export NAME='value'</c>). It gets no other but <c>PATH</c>.</param>
    public static NodePeer Start(string kind, string environmentFile)
    {
        var start = new ProcessStartInfo("/bin/sh")
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder,
            // The file is made for a shell; a shell reads it.
            ArgumentList = { "-c", ". \"$1\"; exec node peer.js \"$2\"", "sh", environmentFile, kind },
        };
        start.Environment.Clear();
        start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH");
        return new(Process.Start(start)!);
    }

    /// <summary>Has the peer do something and returns what came of it. Throws <see cref="NodePeerException"/> when it fails.</summary>
    public async Task<JsonNode?> CallAsync(string call, JsonObject? with = null)
    {
        var id = Interlocked.Increment(ref lastCall);
        var answer = new TaskCompletionSource<JsonNode?>(TaskCreationOptions.RunContinuationsAsynchronously);
        calls[id] = answer;
        if (end is not null)
        {
            throw new NodePeerException(end.Message);
        }
        var line =
            new JsonObject
            {
                ["id"] = id,
                ["call"] = call,
                ["with"] = with,
            }.ToJsonString() + "\n";
        await process.StandardInput.WriteAsync(line);
        await process.StandardInput.FlushAsync();
        try
        {
            return await answer.Task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new NodePeerException($"'{call}' did not end. {Errors}");
        }
    }

    /// <summary>The next event of a name, which may have happened before.</summary>
    public async Task<JsonNode> NextAsync(string name)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            return await EventsOf(name).Reader.ReadAsync(patience.Token) ?? throw new JsonException("null");
        }
        catch (OperationCanceledException)
        {
            throw new NodePeerException($"No event '{name}' came. {Errors}");
        }
    }

    /// <summary>Takes the events of a name that have happened.</summary>
    public IReadOnlyList<JsonNode?> Drain(string name)
    {
        var drained = new List<JsonNode?>();
        while (EventsOf(name).Reader.TryRead(out var data))
        {
            drained.Add(data);
        }
        return drained;
    }

    /// <summary>Ends the process, which says goodbye to nobody.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill(entireProcessTree: true);
        }
        await process.WaitForExitAsync();
        await reading;
        process.Dispose();
    }

    private string Errors => $"The peer's errors:\n{string.Join('\n', errors)}";

    private async Task ReadAsync()
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            var message = JsonNode.Parse(line)!.AsObject();
            if (message["event"] is { } name)
            {
                EventsOf((string)name!).Writer.TryWrite(message["data"]);
            }
            else if (calls.TryRemove((int)message["id"]!, out var answer))
            {
                if (message["error"] is { } error)
                {
                    answer.SetException(new NodePeerException((string)error!));
                }
                else
                {
                    answer.SetResult(message["result"]);
                }
            }
        }
        await process.WaitForExitAsync();
        end = new NodePeerException($"The peer ended with {process.ExitCode}. {Errors}");
        foreach (var call in calls.Values)
        {
            call.TrySetException(end);
        }
        foreach (var channel in events.Values)
        {
            channel.Writer.TryComplete(end);
        }
    }

    private Channel<JsonNode?> EventsOf(string name) =>
        events.GetOrAdd(name, _ => Channel.CreateUnbounded<JsonNode?>());

    private static string? NodeProgram() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Select(folder => Path.Combine(folder, "node"))
            .FirstOrDefault(File.Exists);
}

/// <summary>The peer ended, or its client refused: says so in the client's words.</summary>
internal sealed class NodePeerException(string message) : Exception(message);
