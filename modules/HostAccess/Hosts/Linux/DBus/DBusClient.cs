namespace EdgeDm.HostAccess.Hosts.Linux.DBus;

/// <summary>
/// The services of a bus. Connects when first asked and again when asked after the connection was lost; what was under way then fails,
/// because nobody knows whether it was carried out.
/// </summary>
internal sealed class DBusClient : IAsyncDisposable
{
    private readonly string socketPath;
    private readonly DBusLimits limits;
    private readonly TimeProvider time;
    private readonly Func<DBusConnection, CancellationToken, Task> greet;
    private readonly SemaphoreSlim connecting = new(1, 1);
    private DBusConnection? connection;

    /// <param name="socketPath">Where the bus listens.</param>
    /// <param name="time">For time limits.</param>
    /// <param name="limits">Bounds; null = the defaults.</param>
    /// <param name="greet">Called with each new connection before anything else is asked on it; what it throws ends the connection.</param>
    public DBusClient(
        string socketPath,
        TimeProvider time,
        DBusLimits? limits = null,
        Func<DBusConnection, CancellationToken, Task>? greet = null
    )
    {
        this.socketPath = socketPath;
        this.time = time;
        this.limits = limits ?? new();
        this.greet = greet ?? ((_, _) => Task.CompletedTask);
    }

    /// <summary>Calls a method.</summary>
    /// <exception cref="DBusErrorException">The answer is an error.</exception>
    /// <exception cref="DBusConnectionException">The bus is away, or went away.</exception>
    /// <exception cref="DBusTimeoutException">No answer came in time.</exception>
    public Task<DBusMessage> CallAsync(DBusCall call, CancellationToken cancel) =>
        WithinAsync(
            call.TimeLimit ?? limits.CallTime,
            $"{call.Destination} did not answer {call.Member}",
            async limited => await (await ConnectedAsync(limited)).CallAsync(call, limited),
            cancel
        );

    /// <summary>Reads a property.</summary>
    /// <exception cref="DBusFormatException">It is of another type.</exception>
    public async Task<T> GetAsync<T>(
        string name,
        string path,
        string ofInterface,
        string property,
        CancellationToken cancel
    )
    {
        var answer = await CallAsync(new(name, path, DBusNames.Properties, "Get", "ss", ofInterface, property), cancel);
        return answer.Read<DBusVariant>() is { Value: T value }
            ? value
            : throw new DBusFormatException($"{ofInterface}.{property} of {name} is no {typeof(T).Name}.");
    }

    /// <summary>Reads all properties of an interface.</summary>
    public async Task<IReadOnlyDictionary<string, object>> GetAllAsync(
        string name,
        string path,
        string ofInterface,
        CancellationToken cancel
    )
    {
        var answer = await CallAsync(new(name, path, DBusNames.Properties, "GetAll", "s", ofInterface), cancel);
        return answer.Signature == "a{sv}"
            ? answer
                .Read<Dictionary<object, object>>()
                .ToDictionary(pair => (string)pair.Key, pair => ((DBusVariant)pair.Value).Value, StringComparer.Ordinal)
            : throw new DBusFormatException($"GetAll of {name} brought '{answer.Signature}'.");
    }

    /// <summary>Gets signals from now on, until the connection is lost or the sender leaves the bus.</summary>
    public Task<DBusSubscription> SubscribeAsync(DBusMatch match, CancellationToken cancel) =>
        WithinAsync(
            limits.CallTime,
            $"{match.Sender} could not be subscribed to",
            async limited => await (await ConnectedAsync(limited)).SubscribeAsync(match, limited),
            cancel
        );

    public async ValueTask DisposeAsync()
    {
        await connecting.WaitAsync();
        if (connection is not null)
        {
            await connection.DisposeAsync();
        }
        connecting.Dispose();
    }

    private async Task<DBusConnection> ConnectedAsync(CancellationToken cancel)
    {
        await connecting.WaitAsync(cancel);
        try
        {
            if (connection is { IsLost: false })
            {
                return connection;
            }
            if (connection is not null)
            {
                await connection.DisposeAsync();
                connection = null;
            }
            connection = await WithinAsync(
                limits.ConnectTime,
                $"The bus at {socketPath} did not answer the handshake",
                async limited =>
                    await GreetedAsync(await DBusConnection.ConnectAsync(socketPath, limits, limited), limited),
                cancel
            );
            return connection;
        }
        finally
        {
            connecting.Release();
        }
    }

    private async Task<DBusConnection> GreetedAsync(DBusConnection made, CancellationToken cancel)
    {
        try
        {
            await greet(made, cancel);
            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    private async Task<T> WithinAsync<T>(
        TimeSpan limit,
        string what,
        Func<CancellationToken, Task<T>> action,
        CancellationToken cancel
    )
    {
        using var timeout = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancel);
        try
        {
            return await action(either.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            throw new DBusTimeoutException($"{what} within {limit.TotalSeconds} s.");
        }
    }
}
