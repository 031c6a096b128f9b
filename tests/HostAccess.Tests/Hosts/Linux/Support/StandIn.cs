using System.Collections.Concurrent;
using System.Net.Sockets;
using EdgeDm.HostAccess.Hosts.Linux.DBus;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Hosts.Linux.Support;

/// <summary>
/// A service of the tests on a real bus, which stands in for a real one: it owns names and answers calls by a table. It says what the test
/// tells it to say; whether the real service would say so, only the real service can show.
/// </summary>
internal sealed class StandIn : IAsyncDisposable
{
    private static readonly DBusLimits Limits = new();

    private readonly NetworkStream stream;
    private readonly CancellationTokenSource ending = new();
    private readonly SemaphoreSlim sending = new(1, 1);
    private readonly SemaphoreSlim called = new(0);
    private readonly ConcurrentDictionary<string, Func<DBusMessage, Answer?>> methods = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (string Signature, Func<object> Value)> properties = new(
        StringComparer.Ordinal
    );
    private readonly ConcurrentDictionary<uint, TaskCompletionSource> answered = new();
    private Task reading = Task.CompletedTask;
    private uint serial;

    private StandIn(NetworkStream stream) => this.stream = stream;

    /// <summary>Bytes of answers are in this order.</summary>
    public bool BigEndian { get; set; }

    /// <summary>What was called, in order.</summary>
    public ConcurrentQueue<DBusMessage> Calls { get; } = new();

    public static async Task<StandIn> StartAsync(string socketPath, params string[] names)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath));
        var standIn = new StandIn(new(socket, ownsSocket: true));
        await DBusHandshake.RunAsync(standIn.stream, Limits, CancellationToken.None);
        standIn.reading = standIn.ReadAsync();
        await standIn.AskBusAsync("Hello", "");
        foreach (var name in names)
        {
            await standIn.AskBusAsync("RequestName", "su", name, 4u);
        }
        return standIn;
    }

    public StandIn On(string member, string signature, Func<DBusMessage, object[]> answer) =>
        On(member, call => new Answer(signature, answer(call)));

    /// <summary>Null = no answer at all.</summary>
    public StandIn On(string member, Func<DBusMessage, Answer?> answer)
    {
        methods[member] = answer;
        return this;
    }

    public StandIn Fail(string member, string errorName, string text = "no") =>
        On(member, _ => new Answer("s", [text], errorName));

    public StandIn Property(string ofInterface, string name, string signature, Func<object> value)
    {
        properties[$"{ofInterface}.{name}"] = (signature, value);
        return this;
    }

    /// <summary>Waits until a method was called so often.</summary>
    public async Task CalledAsync(string member, int times = 1)
    {
        while (Calls.Count(call => call.Member == member) < times)
        {
            (await called.WaitAsync(TestGateway.Patience)).ShouldBeTrue($"{member} was not called.");
        }
    }

    /// <summary>Has a client ask this service: what it sent before has arrived there when this returns.</summary>
    public async Task CalledBackAsync(DBusClient client, string name)
    {
        On("Back", "", _ => []);
        await client.CallAsync(new(name, "/", "org.example.Back", "Back"), CancellationToken.None);
    }

    /// <summary>Gives a name back.</summary>
    public Task LeaveAsync(string name) => AskBusAsync("ReleaseName", "s", name);

    /// <summary>Sends a signal to everybody, or to one.</summary>
    public Task SignalAsync(
        string path,
        string ofInterface,
        string member,
        string signature,
        object[] body,
        string? destination = null
    ) =>
        SendAsync(
            new(DBusMessageKind.Signal)
            {
                Path = path,
                Interface = ofInterface,
                Member = member,
                Signature = signature,
                Body = body,
                Destination = destination,
            }
        );

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await stream.DisposeAsync();
        await reading;
        ending.Dispose();
        sending.Dispose();
    }

    private async Task AskBusAsync(string member, string signature, params object[] body)
    {
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await SendAsync(
            new(DBusMessageKind.Call)
            {
                Destination = DBusNames.Bus,
                Path = DBusNames.BusPath,
                Interface = DBusNames.Bus,
                Member = member,
                Signature = signature,
                Body = body,
            },
            answer
        );
        await answer.Task.WaitAsync(TestGateway.Patience);
    }

    private async Task SendAsync(DBusMessage message, TaskCompletionSource? answer = null)
    {
        await sending.WaitAsync();
        try
        {
            var numbered = message with { Serial = ++serial };
            if (answer is not null)
            {
                answered[numbered.Serial] = answer;
            }
            await stream.WriteAsync(DBusCodec.Encode(numbered, Limits, BigEndian));
        }
        finally
        {
            sending.Release();
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            while (true)
            {
                var head = new byte[DBusCodec.HeadLength];
                await stream.ReadExactlyAsync(head, ending.Token);
                var bytes = new byte[DBusCodec.LengthOf(head, Limits)];
                head.CopyTo(bytes, 0);
                await stream.ReadExactlyAsync(bytes.AsMemory(head.Length), ending.Token);
                await TakeAsync(DBusCodec.Decode(bytes, Limits));
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The test or the bus is over.
        }
    }

    private async Task TakeAsync(DBusMessage message)
    {
        if (message.Kind == DBusMessageKind.Return && answered.TryRemove(message.ReplySerial, out var waiting))
        {
            waiting.SetResult();
        }
        if (message.Kind != DBusMessageKind.Call)
        {
            return;
        }
        // Whoever waits for the call finds done what it does.
        var made = AnswerTo(message);
        Calls.Enqueue(message);
        called.Release();
        if (made is { } answer && !message.NoReply)
        {
            await SendAsync(
                new(answer.ErrorName is null ? DBusMessageKind.Return : DBusMessageKind.Error)
                {
                    ErrorName = answer.ErrorName,
                    ReplySerial = message.Serial,
                    Destination = message.Sender,
                    Signature = answer.Signature,
                    Body = answer.Body,
                }
            );
        }
    }

    private Answer? AnswerTo(DBusMessage call) =>
        (call.Interface, call.Member) switch
        {
            (DBusNames.Properties, "Get") => AnswerGet(call.Read<string>(), call.Read<string>(1)),
            (DBusNames.Properties, "GetAll") => new("a{sv}", [AllOf(call.Read<string>())]),
            ("org.freedesktop.DBus.Peer", "Ping") => new("", []),
            _ when methods.TryGetValue(call.Member!, out var method) => method(call),
            _ => new("s", [call.Member!], "org.freedesktop.DBus.Error.UnknownMethod"),
        };

    private Answer AnswerGet(string ofInterface, string name) =>
        properties.TryGetValue($"{ofInterface}.{name}", out var found)
            ? new("v", [new DBusVariant(found.Signature, found.Value())])
            : new("s", [name], "org.freedesktop.DBus.Error.UnknownProperty");

    private Dictionary<object, object> AllOf(string ofInterface) =>
        properties
            .Where(pair => pair.Key.StartsWith(ofInterface + ".", StringComparison.Ordinal))
            .ToDictionary(
                object (pair) => pair.Key[(ofInterface.Length + 1)..],
                object (pair) => new DBusVariant(pair.Value.Signature, pair.Value.Value())
            );
}

/// <summary>What a stand-in says.</summary>
internal sealed record Answer(string Signature, object[] Body, string? ErrorName = null);
