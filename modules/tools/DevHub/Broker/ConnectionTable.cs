using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Broker;

/// <summary>
/// Who is connected, at most one connection each, and the subscriptions of sessions that are not clean, also of those that an earlier process
/// kept. Safe for use by many threads.
/// </summary>
internal sealed class ConnectionTable
{
    private readonly Lock gate = new();
    private readonly int mostSubscriptions;
    private readonly SessionStore store;
    private readonly TimeProvider time;
    private readonly Dictionary<HubIdentity, ClientConnection> connections = [];
    private readonly Dictionary<HubIdentity, Subscriptions> sessions;
    private readonly Dictionary<HubIdentity, ClientActivity> past = [];
    private bool closed;

    /// <param name="mostSubscriptions">Most filters of one client.</param>
    /// <param name="store">Where subscriptions are kept.</param>
    /// <param name="time">The clock.</param>
    public ConnectionTable(int mostSubscriptions, SessionStore store, TimeProvider time)
    {
        this.mostSubscriptions = mostSubscriptions;
        this.store = store;
        this.time = time;
        sessions = store
            .LoadAll()
            .ToDictionary(
                session => session.Client,
                session => Broker.Subscriptions.Of(session, mostSubscriptions, store)
            );
    }

    /// <summary>The client's connection, or null.</summary>
    public ClientConnection? Find(HubIdentity client)
    {
        lock (gate)
        {
            return connections.GetValueOrDefault(client);
        }
    }

    /// <summary>Whether the client is connected, and when it was last heard of.</summary>
    public ClientActivity ActivityOf(HubIdentity client)
    {
        lock (gate)
        {
            return connections.TryGetValue(client, out var open)
                ? new(IsConnected: true, open.Since, open.LastHeard)
                : past.GetValueOrDefault(client, ClientActivity.None);
        }
    }

    /// <summary>Closes the client's connection, if it has one.</summary>
    public void Drop(HubIdentity client, string why) => Find(client)?.Close(why);

    /// <summary>Closes the client's connection and forgets its session: there is no such client any more.</summary>
    public void Forget(HubIdentity client, string why)
    {
        Drop(client, why);
        lock (gate)
        {
            ForgetSession(client);
            past.Remove(client);
        }
    }

    /// <summary>The connections for which an edgeHub speaks by a way that this identity is part of. A snapshot.</summary>
    public IReadOnlyList<ClientConnection> OnBehalf(HubIdentity part)
    {
        lock (gate)
        {
            return
            [
                .. connections.Values.Where(c =>
                    c.OnBehalf is { } chain && (chain.Links.Contains(part) || chain.Signer == part)
                ),
            ];
        }
    }

    /// <summary>Who is connected. A snapshot.</summary>
    public IReadOnlyList<HubIdentity> Connected()
    {
        lock (gate)
        {
            return [.. connections.Keys];
        }
    }

    /// <summary>
    /// Puts a connection in the place of the client's former one, closes that and waits until it has let go of
    /// everything: only then may the new one deliver.
    /// </summary>
    /// <returns>False when the hub is stopping.</returns>
    public async Task<bool> TakeOverAsync(ClientConnection connection)
    {
        ClientConnection? former;
        lock (gate)
        {
            if (closed)
            {
                return false;
            }
            connections.TryGetValue(connection.Identity, out former);
            connections[connection.Identity] = connection;
        }
        if (former is not null)
        {
            former.Close("another connection with this identity was made");
            await former.Ended;
        }
        return true;
    }

    /// <summary>Takes a connection out, unless another has taken its place.</summary>
    public void Remove(ClientConnection connection)
    {
        lock (gate)
        {
            if (connections.TryGetValue(connection.Identity, out var current) && ReferenceEquals(current, connection))
            {
                connections.Remove(connection.Identity);
                past[connection.Identity] = new(IsConnected: false, time.GetUtcNow(), connection.LastHeard);
            }
        }
    }

    /// <summary>The subscriptions that a connection begins with.</summary>
    /// <param name="client">Who.</param>
    /// <param name="clean">Forget the former session, and do not keep this one.</param>
    /// <param name="present">True when there was a session to go on with.</param>
    public Subscriptions Subscriptions(HubIdentity client, bool clean, out bool present)
    {
        lock (gate)
        {
            if (clean)
            {
                ForgetSession(client);
                present = false;
                return new(client, mostSubscriptions, store: null);
            }
            present = sessions.TryGetValue(client, out var session);
            return present ? session! : sessions[client] = new(client, mostSubscriptions, store);
        }
    }

    private void ForgetSession(HubIdentity client)
    {
        if (sessions.Remove(client))
        {
            store.Forget(client);
        }
    }

    /// <summary>Closes every connection, lets no more in, and waits until all have ended.</summary>
    public async Task CloseAsync()
    {
        ClientConnection[] open;
        lock (gate)
        {
            closed = true;
            open = [.. connections.Values];
        }
        foreach (var connection in open)
        {
            connection.Close("the hub stops");
        }
        await Task.WhenAll(open.Select(c => c.Ended));
    }
}

/// <summary>What is known of a client's connections since the hub started.</summary>
/// <param name="IsConnected">Now.</param>
/// <param name="Since">When that changed last; the year 1 = never.</param>
/// <param name="LastHeard">When it last sent something; the year 1 = never.</param>
internal readonly record struct ClientActivity(bool IsConnected, DateTimeOffset Since, DateTimeOffset LastHeard)
{
    /// <summary>Nothing was ever heard.</summary>
    public static readonly ClientActivity None;
}
