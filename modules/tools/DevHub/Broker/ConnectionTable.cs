using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Broker;

/// <summary>
/// Who is connected, at most one connection each, and the subscriptions of sessions that are not clean. Safe for use by
/// many threads.
/// </summary>
internal sealed class ConnectionTable(int mostSubscriptions)
{
    private readonly Lock gate = new();
    private readonly Dictionary<HubIdentity, ClientConnection> connections = [];
    private readonly Dictionary<HubIdentity, Subscriptions> sessions = [];
    private bool closed;

    /// <summary>The client's connection, or null.</summary>
    public ClientConnection? Find(HubIdentity client)
    {
        lock (gate)
        {
            return connections.GetValueOrDefault(client);
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
                sessions.Remove(client);
                present = false;
                return new(client, mostSubscriptions);
            }
            present = sessions.TryGetValue(client, out var session);
            return present ? session! : sessions[client] = new(client, mostSubscriptions);
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
