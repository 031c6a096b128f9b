using System.Net.Sockets;
using System.Threading.Channels;

namespace EdgeDm.HostAccess.Hosts.Linux.DBus;

/// <summary>
/// One connection to a bus. It never connects again: when it is lost, or the bus sends what is no message, every pending call and every
/// subscription ends with one exception.
/// </summary>
internal sealed class DBusConnection : IAsyncDisposable
{
    private const string NoOwner = "org.freedesktop.DBus.Error.NameHasNoOwner";

    private readonly Stream stream;
    private readonly DBusLimits limits;
    private readonly Channel<byte[]> outgoing;
    private readonly CancellationTokenSource ending = new();
    private readonly Dictionary<uint, TaskCompletionSource<DBusMessage>> pending = [];
    private readonly List<DBusSubscription> subscriptions = [];
    private readonly Lock gate = new();
    private Task reading = Task.CompletedTask;
    private Task writing = Task.CompletedTask;
    private DBusConnectionException? lost;
    private uint lastSerial;

    private DBusConnection(Stream stream, DBusLimits limits)
    {
        this.stream = stream;
        this.limits = limits;
        outgoing = Channel.CreateBounded<byte[]>(limits.MaxPendingCalls);
    }

    /// <summary>True when it can be used no more.</summary>
    public bool IsLost
    {
        get
        {
            lock (gate)
            {
                return lost is not null;
            }
        }
    }

    /// <summary>Connects to the bus that listens at this path.</summary>
    /// <exception cref="DBusConnectionException">It does not listen, or does not take us.</exception>
    public static async Task<DBusConnection> ConnectAsync(string path, DBusLimits limits, CancellationToken cancel)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        DBusConnection? connection = null;
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancel);
            var made = new NetworkStream(socket, ownsSocket: true);
            await DBusHandshake.RunAsync(made, limits, cancel);
            connection = new(made, limits);
            connection.reading = Task.Run(connection.ReadAsync, CancellationToken.None);
            connection.writing = Task.Run(connection.WriteAsync, CancellationToken.None);
            await connection.CallAsync(BusCall("Hello"), cancel);
            return connection;
        }
        catch (Exception error)
        {
            socket.Dispose();
            if (connection is not null)
            {
                await connection.DisposeAsync();
            }
            if (error is SocketException or IOException)
            {
                throw new DBusConnectionException($"The bus at {path} cannot be reached: {error.Message}", error);
            }
            throw;
        }
    }

    /// <summary>Calls a method and waits for its answer.</summary>
    /// <exception cref="DBusErrorException">The answer is an error.</exception>
    /// <exception cref="DBusConnectionException">The connection was or is lost, or a bound of it is reached.</exception>
    /// <exception cref="DBusFormatException">The call is over a bound; nothing was sent.</exception>
    public async Task<DBusMessage> CallAsync(DBusCall call, CancellationToken cancel)
    {
        var answer = new TaskCompletionSource<DBusMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        var serial = Send(call, answer);
        try
        {
            var message = await answer.Task.WaitAsync(cancel);
            return message.Kind == DBusMessageKind.Error
                ? throw new DBusErrorException(message.ErrorName!, message.Body is [string text, ..] ? text : "")
                : message;
        }
        finally
        {
            lock (gate)
            {
                pending.Remove(serial);
            }
        }
    }

    /// <summary>Gets signals from now on. A service that is not running is started first, where the bus can start it.</summary>
    /// <exception cref="DBusErrorException">The sender is not there and cannot be started.</exception>
    public async Task<DBusSubscription> SubscribeAsync(DBusMatch match, CancellationToken cancel)
    {
        await StartAsync(match.Sender, cancel);
        var subscription = new DBusSubscription(this, match, limits.MaxQueuedSignals);
        lock (gate)
        {
            if (subscriptions.Count >= limits.MaxSubscriptions)
            {
                throw new DBusConnectionException(
                    $"There are {limits.MaxSubscriptions} subscriptions; no more are made."
                );
            }
            subscriptions.Add(subscription);
        }
        try
        {
            await CallAsync(BusCall("AddMatch", "s", subscription.OwnerMatch.Rule), cancel);
            await CallAsync(BusCall("AddMatch", "s", match.Rule), cancel);
            subscription.Own((await CallAsync(BusCall("GetNameOwner", "s", match.Sender), cancel)).Read<string>());
            return subscription;
        }
        catch
        {
            subscription.Dispose();
            throw;
        }
    }

    /// <summary>Takes a subscription back; nothing is waited for.</summary>
    public void Unsubscribe(DBusSubscription subscription)
    {
        lock (gate)
        {
            subscriptions.Remove(subscription);
        }
        try
        {
            Send(BusCall("RemoveMatch", "s", subscription.Match.Rule), answer: null);
            Send(BusCall("RemoveMatch", "s", subscription.OwnerMatch.Rule), answer: null);
        }
        catch (DBusConnectionException)
        {
            // The bus forgets the rules with the connection, and signals that still come find no subscription.
        }
    }

    public async ValueTask DisposeAsync()
    {
        Lose(new DBusConnectionException("The connection to the bus was closed."));
        await Task.WhenAll(reading, writing);
        ending.Dispose();
    }

    private async Task StartAsync(string name, CancellationToken cancel)
    {
        try
        {
            await CallAsync(BusCall("GetNameOwner", "s", name), cancel);
        }
        catch (DBusErrorException error) when (error.Name == NoOwner)
        {
            await CallAsync(BusCall("StartServiceByName", "su", name, 0u), cancel);
        }
    }

    /// <summary>Hands a call to the writer.</summary>
    private uint Send(DBusCall call, TaskCompletionSource<DBusMessage>? answer)
    {
        lock (gate)
        {
            if (lost is not null)
            {
                throw lost;
            }
            if (pending.Count >= limits.MaxPendingCalls)
            {
                throw new DBusConnectionException(
                    $"{limits.MaxPendingCalls} calls wait for their answers; no more are made."
                );
            }
            var serial = ++lastSerial == 0 ? ++lastSerial : lastSerial;
            var bytes = DBusCodec.Encode(
                new(DBusMessageKind.Call)
                {
                    Serial = serial,
                    NoReply = answer is null,
                    Destination = call.Destination,
                    Path = call.Path,
                    Interface = call.Interface,
                    Member = call.Member,
                    Signature = call.Signature,
                    Body = call.Arguments,
                },
                limits
            );
            if (!outgoing.Writer.TryWrite(bytes))
            {
                throw new DBusConnectionException(
                    $"{limits.MaxPendingCalls} messages wait to be sent; no more are made."
                );
            }
            if (answer is not null)
            {
                pending.Add(serial, answer);
            }
            return serial;
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            var head = new byte[DBusCodec.HeadLength];
            while (true)
            {
                await stream.ReadExactlyAsync(head, ending.Token);
                var bytes = new byte[DBusCodec.LengthOf(head, limits)];
                head.CopyTo(bytes, 0);
                await stream.ReadExactlyAsync(bytes.AsMemory(head.Length), ending.Token);
                Take(DBusCodec.Decode(bytes, limits));
            }
        }
        catch (Exception error)
        {
            Lose(new DBusConnectionException($"The connection to the bus ended: {error.Message}", error));
        }
    }

    private async Task WriteAsync()
    {
        try
        {
            await foreach (var bytes in outgoing.Reader.ReadAllAsync(ending.Token))
            {
                await stream.WriteAsync(bytes, ending.Token);
            }
        }
        catch (Exception error)
        {
            Lose(new DBusConnectionException($"The connection to the bus ended: {error.Message}", error));
        }
    }

    /// <summary>Calls are left unanswered: the bus's policy lets nobody but root make any, and nothing is offered.</summary>
    private void Take(DBusMessage message)
    {
        lock (gate)
        {
            if (message.Kind is DBusMessageKind.Return or DBusMessageKind.Error)
            {
                if (pending.Remove(message.ReplySerial, out var answer))
                {
                    answer.TrySetResult(message);
                }
                return;
            }
            if (message.Kind == DBusMessageKind.Signal)
            {
                subscriptions.ForEach(subscription => subscription.Take(message));
            }
        }
    }

    private void Lose(DBusConnectionException why)
    {
        lock (gate)
        {
            if (lost is not null)
            {
                return;
            }
            lost = why;
            foreach (var answer in pending.Values)
            {
                answer.TrySetException(why);
            }
            pending.Clear();
            subscriptions.ForEach(subscription => subscription.End(why));
            subscriptions.Clear();
        }
        outgoing.Writer.TryComplete();
        ending.Cancel();
        stream.Dispose();
    }

    private static DBusCall BusCall(string member, string signature = "", params object[] arguments) =>
        new(DBusNames.Bus, DBusNames.BusPath, DBusNames.Bus, member, signature, arguments);
}
