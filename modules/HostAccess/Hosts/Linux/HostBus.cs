using EdgeDm.Contracts;
using EdgeDm.HostAccess.Hosts.Linux.DBus;

namespace EdgeDm.HostAccess.Hosts.Linux;

/// <summary>
/// The host's services, asked as <see cref="IHost"/> is: the caller waits, and what goes wrong is an error of the registry that names
/// the service.
/// </summary>
internal sealed class HostBus(DBusClient client) : IAsyncDisposable
{
    /// <summary>What the bus says when a service is not there or does not answer; asking later may help.</summary>
    private static readonly string[] Away =
    [
        "org.freedesktop.DBus.Error.ServiceUnknown",
        "org.freedesktop.DBus.Error.NameHasNoOwner",
        "org.freedesktop.DBus.Error.NoReply",
        "org.freedesktop.DBus.Error.Timeout",
        "org.freedesktop.DBus.Error.TimedOut",
        "org.freedesktop.DBus.Error.Disconnected",
    ];

    private readonly CancellationTokenSource stopping = new();

    /// <summary>Calls a method.</summary>
    public DBusMessage Call(DBusCall call) => Ask(call.Destination, (bus, cancel) => bus.CallAsync(call, cancel));

    /// <summary>Reads a property.</summary>
    public T Get<T>(string service, string path, string ofInterface, string property) =>
        Ask(service, (bus, cancel) => bus.GetAsync<T>(service, path, ofInterface, property, cancel));

    /// <summary>Reads all properties of an interface.</summary>
    public IReadOnlyDictionary<string, object> GetAll(string service, string path, string ofInterface) =>
        Ask(service, (bus, cancel) => bus.GetAllAsync(service, path, ofInterface, cancel));

    /// <summary>Asks a service in several steps.</summary>
    /// <exception cref="EdgeDmException"><c>hostServiceUnavailable</c>, <c>hostServiceRefused</c>, or what the steps throw themselves.</exception>
    public T Ask<T>(string service, Func<DBusClient, CancellationToken, Task<T>> steps) =>
        AskAsync(service, steps, CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>The same for what takes its time.</summary>
    public async Task<T> AskAsync<T>(
        string service,
        Func<DBusClient, CancellationToken, Task<T>> steps,
        CancellationToken cancel
    )
    {
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token, cancel);
            return await steps(client, either.Token);
        }
        catch (DBusErrorException error)
        {
            var code = Away.Contains(error.Name)
                ? ErrorRegistry.HostServiceUnavailable
                : ErrorRegistry.HostServiceRefused;
            throw Told(code, service, $"The host's {service} said {error.Message}", error, ("dbusError", error.Name));
        }
        catch (DBusFormatException error)
        {
            throw Told(ErrorRegistry.HostServiceRefused, service, error.Message, error);
        }
        catch (DBusException error)
        {
            throw Told(ErrorRegistry.HostServiceUnavailable, service, error.Message, error);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await client.DisposeAsync();
        stopping.Dispose();
    }

    private static EdgeDmException Told(
        ErrorCode code,
        string service,
        string what,
        DBusException cause,
        params (string Name, string Value)[] parameters
    ) => new(code.Told(service, $"{what.TrimEnd('.')}.", [("service", service), .. parameters]), cause);
}
