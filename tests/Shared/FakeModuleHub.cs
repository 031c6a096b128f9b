using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.ModuleHost;

namespace EdgeDm.Testing;

/// <summary>
/// A module's hub side in memory, as a test drives it: it records what the module posts and reports, and delivers inputs,
/// methods and desired documents. It keeps <see cref="IModuleHub"/>'s promises about order, repeats and errors.
/// </summary>
public sealed class FakeModuleHub(string moduleId) : IModuleHub, IDisposable
{
    /// <summary>How long the waiting methods wait before the test fails.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Lock gate = new();
    private readonly Dictionary<string, Func<InputMessage, CancellationToken, ValueTask>> inputs = [];
    private readonly Dictionary<string, Func<MethodCall, CancellationToken, ValueTask<MethodReply>>> methods = [];
    private readonly SemaphoreSlim inputTurn = new(1);
    private readonly SemaphoreSlim desiredTurn = new(1);
    private readonly HashSet<string> seen = [];
    private readonly List<FakePost> posts = [];
    private readonly List<IReadOnlyDictionary<string, JsonNode?>> reports = [];
    private readonly JsonObject reported = [];
    private Func<DesiredDocument, CancellationToken, ValueTask>? desired;
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool connected = true;
    private long desiredVersion;

    /// <inheritdoc />
    public event Action? ConnectionChanged;

    /// <inheritdoc />
    public string ModuleId => moduleId;

    /// <summary>True at first. Setting it plays a session that comes up or ends.</summary>
    public bool IsConnected
    {
        get => connected;
        set
        {
            if (connected != value)
            {
                connected = value;
                ConnectionChanged?.Invoke();
            }
        }
    }

    /// <summary>All posts so far, oldest first.</summary>
    public IReadOnlyList<FakePost> Posts
    {
        get
        {
            lock (gate)
            {
                return [.. posts];
            }
        }
    }

    /// <summary>All reports so far, oldest first, as they were called.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, JsonNode?>> Reports
    {
        get
        {
            lock (gate)
            {
                return [.. reports];
            }
        }
    }

    /// <summary>A copy of the reported properties as the hub would have them now.</summary>
    public JsonObject Reported
    {
        get
        {
            lock (gate)
            {
                return (JsonObject)reported.DeepClone();
            }
        }
    }

    /// <summary>Why inputs were dropped: wrong content.</summary>
    public IList<Exception> Dropped { get; } = [];

    /// <summary>Inputs and methods that have a handler.</summary>
    public IReadOnlyCollection<string> Inputs => inputs.Keys;

    /// <inheritdoc cref="Inputs" />
    public IReadOnlyCollection<string> Methods => methods.Keys;

    /// <inheritdoc />
    public void OnInput(string input, Func<InputMessage, CancellationToken, ValueTask> handler) =>
        inputs.Add(input, handler);

    /// <inheritdoc />
    public void OnMethod(string name, Func<MethodCall, CancellationToken, ValueTask<MethodReply>> handler) =>
        methods.Add(name, handler);

    /// <inheritdoc />
    public void OnDesired(Func<DesiredDocument, CancellationToken, ValueTask> handler) =>
        desired = desired is null ? handler : throw new InvalidOperationException("There is a desired handler.");

    /// <inheritdoc />
    public void Post(
        string output,
        string schema,
        ReadOnlyMemory<byte> json,
        string? messageId = null,
        PostKind kind = PostKind.Normal,
        string? series = null
    ) =>
        Add(
            new(output, schema, Encoding.UTF8.GetString(json.Span), messageId, IsVolatile: false, ReplaceKey: null)
            {
                Kind = kind,
                Series = series,
            }
        );

    /// <inheritdoc />
    public void PostVolatile(string output, string schema, ReadOnlyMemory<byte> json, string? replaceKey = null)
    {
        if (connected)
        {
            Add(new(output, schema, Encoding.UTF8.GetString(json.Span), null, IsVolatile: true, replaceKey));
        }
    }

    /// <inheritdoc />
    public void Report(IReadOnlyDictionary<string, JsonNode?> properties)
    {
        foreach (var (name, value) in properties.Where(p => p.Value is not null))
        {
            ReportLimits.Check(name, JsonElement.Parse(value!.ToJsonString()));
        }
        lock (gate)
        {
            reports.Add(properties.ToDictionary(p => p.Key, p => p.Value?.DeepClone()));
            foreach (var (name, value) in properties)
            {
                _ = value is null ? reported.Remove(name) : (reported[name] = value.DeepClone()) is not null;
            }
            Signal();
        }
    }

    /// <summary>
    /// Delivers a message to an input and returns when its handler has: true when the handler ran, false when the message id
    /// had been seen. Wrong content goes to <see cref="Dropped"/>; any other exception comes out, and the message may come again.
    /// </summary>
    public async Task<bool> DeliverInputAsync(
        string input,
        string schema,
        string json,
        string? messageId = null,
        string sender = "gateway/peer",
        CancellationToken cancellationToken = default
    )
    {
        messageId ??= Guid.NewGuid().ToString("n");
        await inputTurn.WaitAsync(cancellationToken);
        try
        {
            if (seen.Contains(messageId))
            {
                return false;
            }
            var message = new InputMessage(input, schema, messageId, sender, Encoding.UTF8.GetBytes(json));
            await inputs[input](message, cancellationToken);
        }
        catch (Exception error) when (error is BadMessageException or JsonException)
        {
            Dropped.Add(error);
        }
        finally
        {
            inputTurn.Release();
        }
        seen.Add(messageId);
        return true;
    }

    /// <summary>Calls a direct method. 501 without a handler, 500 with the exception's type name when the handler threw.</summary>
    public async Task<MethodReply> CallMethodAsync(
        string name,
        string json = "",
        CancellationToken cancellationToken = default
    )
    {
        if (!methods.TryGetValue(name, out var handler) && !methods.TryGetValue("*", out handler))
        {
            return new(501, Encoding.UTF8.GetBytes($$"""{"message":"There is no method '{{name}}'."}"""));
        }
        try
        {
            return await handler(new(name, Encoding.UTF8.GetBytes(json)), cancellationToken);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            return new(500, Encoding.UTF8.GetBytes($$"""{"message":"{{error.GetType().Name}}"}"""));
        }
    }

    /// <summary>Delivers a whole desired document and returns when its handler has. The version counts up by itself.</summary>
    public async Task DeliverDesiredAsync(
        string json,
        long? version = null,
        CancellationToken cancellationToken = default
    )
    {
        await desiredTurn.WaitAsync(cancellationToken);
        try
        {
            desiredVersion = version ?? desiredVersion + 1;
            var document = new DesiredDocument(desiredVersion, JsonNode.Parse(json)!.AsObject());
            await (desired ?? throw new InvalidOperationException("No desired handler."))(document, cancellationToken);
        }
        finally
        {
            desiredTurn.Release();
        }
    }

    /// <summary>The first post that fits, be it there already or yet to come.</summary>
    public async Task<FakePost> WaitForPostAsync(Func<FakePost, bool> fits) =>
        await WaitForAsync(() => posts.Find(p => fits(p)), "no post fits");

    /// <summary>The first post with this schema.</summary>
    public Task<FakePost> WaitForPostAsync(string schema) => WaitForPostAsync(p => p.Schema == schema);

    /// <summary>The reported properties as soon as they fit.</summary>
    public async Task<JsonObject> WaitForReportedAsync(Func<JsonObject, bool> fits) =>
        await WaitForAsync(
            () => fits(reported) ? (JsonObject)reported.DeepClone() : null,
            "the reported properties do not fit"
        );

    /// <inheritdoc />
    public void Dispose()
    {
        inputTurn.Dispose();
        desiredTurn.Dispose();
    }

    private void Add(FakePost post)
    {
        lock (gate)
        {
            posts.Add(post);
            Signal();
        }
    }

    private void Signal()
    {
        var old = changed;
        changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        old.SetResult();
    }

    private async Task<T> WaitForAsync<T>(Func<T?> find, string problem)
        where T : class
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (find() is { } found)
                {
                    return found;
                }
                next = changed.Task;
            }
            try
            {
                await next.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException error)
            {
                throw new TimeoutException($"After {Patience.TotalSeconds} s {problem}.", error);
            }
        }
    }
}

/// <summary>What a module posted.</summary>
public sealed record FakePost(
    string Output,
    string Schema,
    string Json,
    string? MessageId,
    bool IsVolatile,
    string? ReplaceKey
)
{
    /// <summary>What becomes of it while the hub is away.</summary>
    public PostKind Kind { get; init; }

    /// <summary>With <see cref="PostKind.Thinned"/>.</summary>
    public string? Series { get; init; }

    /// <summary>The body, parsed.</summary>
    public JsonObject Body => JsonNode.Parse(Json)!.AsObject();
}
