using EdgeDm.Contracts;
using EdgeDm.HostAccess.Hosts.Linux.DBus;

namespace EdgeDm.HostAccess.Hosts.Linux;

/// <summary>
/// The clock by systemd's time service. It says yes to network time when it has only queued the start of a service that may not start
/// (in a container timesyncd's condition fails, for one), so every change is read back.
/// </summary>
internal sealed class Timedated(HostBus bus, TimeProvider time) : IHostClock
{
    public const string Service = "org.freedesktop.timedate1";

    private const string Path = "/org/freedesktop/timedate1";
    private const string Interface = "org.freedesktop.timedate1";
    private const string InvalidArguments = "org.freedesktop.DBus.Error.InvalidArgs";
    private const string FollowsNetwork = "org.freedesktop.timedate1.AutomaticTimeSyncEnabled";
    private const string NoNetworkTime = "org.freedesktop.timedate1.NoNTPSupport";
    private const long MicrosecondsPerTick = 10;

    /// <summary>How far the clock that is read back may be from what was set.</summary>
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(2);

    /// <summary>A network time service has this long to start or stop.</summary>
    private static readonly TimeSpan NtpPatience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(250);

    public HostClockReading Read() => bus.Ask(Service, ReadAsync);

    public HostClockReading SetTimezone(string timezone) =>
        bus.Ask(
            Service,
            async (client, cancel) =>
            {
                try
                {
                    await client.CallAsync(new(Service, Path, Interface, "SetTimezone", "sb", timezone, false), cancel);
                }
                catch (DBusErrorException error) when (error.Name == InvalidArguments)
                {
                    throw HostClockErrors.UnknownTimezone(timezone);
                }
                var reading = await ReadAsync(client, cancel);
                return reading.Timezone == timezone ? reading : throw NoEffect("timezone", timezone, reading.Timezone);
            }
        );

    public HostClockReading SetTime(DateTimeOffset wanted) =>
        bus.Ask(
            Service,
            async (client, cancel) =>
            {
                var since = time.GetTimestamp();
                try
                {
                    var microseconds = (wanted - DateTimeOffset.UnixEpoch).Ticks / MicrosecondsPerTick;
                    await client.CallAsync(
                        new(Service, Path, Interface, "SetTime", "xbb", microseconds, false, false),
                        cancel
                    );
                }
                catch (DBusErrorException error) when (error.Name == FollowsNetwork)
                {
                    throw HostClockErrors.Synchronized();
                }
                catch (DBusErrorException error) when (error.Name == InvalidArguments)
                {
                    throw ErrorRegistry.InvalidValue.Refusal("time", $"The host does not take the time {wanted:O}.");
                }
                var reading = await ReadAsync(client, cancel);
                var off = reading.Time - wanted - time.GetElapsedTime(since);
                return off.Duration() <= Tolerance
                    ? reading
                    : throw NoEffect("time", $"{wanted:O}", $"{reading.Time:O}");
            }
        );

    public HostClockReading SetNtp(bool enabled) =>
        bus.Ask(
            Service,
            async (client, cancel) =>
            {
                try
                {
                    await client.CallAsync(new(Service, Path, Interface, "SetNTP", "bb", enabled, false), cancel);
                }
                catch (DBusErrorException error) when (error.Name == NoNetworkTime)
                {
                    throw ErrorRegistry.NotSupportedOnHost.Refusal("ntp", "The host has no network time service.");
                }
                return await SettledAsync(client, enabled, cancel);
            }
        );

    /// <summary>A service that is starting counts as on, also when it is about to fail; so it has to look the same twice.</summary>
    private async Task<HostClockReading> SettledAsync(DBusClient client, bool enabled, CancellationToken cancel)
    {
        var since = time.GetTimestamp();
        var before = false;
        while (true)
        {
            var reading = await ReadAsync(client, cancel);
            var now = reading.NtpEnabled == enabled;
            if (now && before)
            {
                return reading;
            }
            if (!now && time.GetElapsedTime(since) > NtpPatience)
            {
                throw NoEffect("ntp", Word(enabled), Word(reading.NtpEnabled));
            }
            before = now;
            await Task.Delay(LookAgain, time, cancel);
        }
    }

    private static async Task<HostClockReading> ReadAsync(DBusClient client, CancellationToken cancel)
    {
        var properties = await client.GetAllAsync(Service, Path, Interface, cancel);
        return new(
            DateTimeOffset.UnixEpoch.AddTicks((long)Of<ulong>("TimeUSec") * MicrosecondsPerTick),
            Of<string>("Timezone"),
            Of<bool>("CanNTP"),
            Of<bool>("NTP"),
            Of<bool>("NTPSynchronized")
        );

        T Of<T>(string name) =>
            properties.TryGetValue(name, out var value) && value is T typed
                ? typed
                : throw new DBusFormatException($"{Service} has no {name} of type {typeof(T).Name}.");
    }

    private static EdgeDmException NoEffect(string what, string wanted, string found) =>
        ErrorRegistry.NoEffect.Refusal(
            what,
            $"{Service} accepted {what} '{wanted}', and the host still says '{found}'.",
            ("wanted", wanted),
            ("found", found)
        );

    private static string Word(bool enabled) => enabled ? "on" : "off";
}
