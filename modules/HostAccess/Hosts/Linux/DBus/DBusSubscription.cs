using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace EdgeDm.HostAccess.Hosts.Linux.DBus;

/// <summary>
/// Signals of one match, from when <see cref="DBusConnection.SubscribeAsync"/> returned. Only those of the process that owned the
/// sender's name then: on the system bus any process may send a signal to anybody. It ends with an exception when that process leaves the
/// bus, when the connection is lost, or when too many signals were not read.
/// </summary>
internal sealed class DBusSubscription : IDisposable
{
    private readonly DBusConnection connection;
    private readonly Channel<DBusMessage> signals;
    private volatile string? owner;

    public DBusSubscription(DBusConnection connection, DBusMatch match, int mostQueued)
    {
        this.connection = connection;
        Match = match;
        OwnerMatch = new(DBusNames.Bus, DBusNames.BusPath, DBusNames.Bus, "NameOwnerChanged", match.Sender);
        signals = Channel.CreateBounded<DBusMessage>(mostQueued);
    }

    public DBusMatch Match { get; }

    /// <summary>When the process that has the sender's name changes.</summary>
    public DBusMatch OwnerMatch { get; }

    /// <summary>The signals, as they come.</summary>
    /// <exception cref="DBusConnectionException">No more can come.</exception>
    public async IAsyncEnumerable<DBusMessage> ReadAllAsync([EnumeratorCancellation] CancellationToken cancel = default)
    {
        await foreach (var signal in signals.Reader.ReadAllAsync(cancel))
        {
            if (signal.Sender == owner)
            {
                yield return signal;
            }
        }
    }

    /// <summary>The next signal of which this is true.</summary>
    /// <exception cref="DBusConnectionException">None can come any more.</exception>
    public async Task<DBusMessage> FirstAsync(Func<DBusMessage, bool> isIt, CancellationToken cancel)
    {
        await foreach (var signal in ReadAllAsync(cancel))
        {
            if (isIt(signal))
            {
                return signal;
            }
        }
        throw new DBusConnectionException("The subscription was given up.");
    }

    /// <summary>The process whose signals count; until it is known, all are kept.</summary>
    public void Own(string uniqueName) => owner = uniqueName;

    /// <summary>Takes a signal that it is for.</summary>
    public void Take(DBusMessage signal)
    {
        if (signal.Sender == DBusNames.Bus && OwnerMatch.Fits(signal))
        {
            End(new DBusConnectionException($"{Match.Sender} left the bus or was restarted."));
            return;
        }
        var isOurs = Match.Fits(signal) && (owner is null || signal.Sender == owner);
        if (isOurs && !signals.Writer.TryWrite(signal))
        {
            End(new DBusConnectionException($"More signals {Match.Member} came than are kept, and were not read."));
        }
    }

    /// <summary>No more signals will come.</summary>
    public void End(Exception? why) => signals.Writer.TryComplete(why);

    /// <summary>Takes the subscription back.</summary>
    public void Dispose()
    {
        End(why: null);
        connection.Unsubscribe(this);
    }
}
