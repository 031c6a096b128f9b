using EdgeDm.Contracts;
using EdgeDm.HostAccess.Hosts.Linux.DBus;

namespace EdgeDm.HostAccess.Hosts.Linux;

/// <summary>
/// Restarts by systemd's login manager. It obeys delaying locks by itself. Of blocking locks it lets root pass older ones over, so they are
/// looked at here: whoever holds one said that the host must not go down now.
/// </summary>
/// <param name="bus">The host's services.</param>
/// <param name="overrideInhibitors">Blocking locks are passed over.</param>
internal sealed class Logind(HostBus bus, bool overrideInhibitors)
{
    public const string Service = "org.freedesktop.login1";

    private const string Path = "/org/freedesktop/login1";
    private const string Manager = "org.freedesktop.login1.Manager";
    private const string InvalidArguments = "org.freedesktop.DBus.Error.InvalidArgs";
    private const string UnknownMethod = "org.freedesktop.DBus.Error.UnknownMethod";
    private const string AccessDenied = "org.freedesktop.DBus.Error.AccessDenied";

    /// <summary>SD_LOGIND_ROOT_CHECK_INHIBITORS: root is held up by blocking locks as anybody is.</summary>
    private const ulong RootIsHeldUp = 1 << 0;

    /// <summary>SD_LOGIND_SKIP_INHIBITORS, systemd 257: before, root is not held up anyway.</summary>
    private const ulong NobodyIsHeldUp = 1 << 4;

    /// <summary>Null when the host can restart; otherwise why not.</summary>
    public string? ReadObstacle() =>
        bus.Call(new(Service, Path, Manager, "CanReboot")).Read<string>() switch
        {
            "yes" => null,
            "challenge" => "The host asks for authentication; HostAccess has to run as root or needs a polkit rule.",
            var word => $"The host's login manager says '{word}' to restarting.",
        };

    /// <summary>Throws <c>rebootInhibited</c> when a blocking lock is held and counts.</summary>
    public void RequireRebootable()
    {
        if (!overrideInhibitors && FindBlock() is { } block)
        {
            throw Inhibited(block);
        }
    }

    /// <summary>Restarts the host.</summary>
    public void Reboot()
    {
        RequireRebootable();
        bus.Ask(
            Service,
            async (client, cancel) =>
            {
                try
                {
                    var flags = overrideInhibitors ? NobodyIsHeldUp : RootIsHeldUp;
                    return await client.CallAsync(new(Service, Path, Manager, "RebootWithFlags", "t", flags), cancel);
                }
                catch (DBusErrorException error) when (error.Name is InvalidArguments or UnknownMethod)
                {
                    // Older than the flag: then root is never held up, and the locks were looked at above.
                    return await client.CallAsync(new(Service, Path, Manager, "Reboot", "b", false), cancel);
                }
                catch (DBusErrorException error) when (error.Name == AccessDenied && !overrideInhibitors)
                {
                    throw Inhibited(new("(not listed)", error.Text));
                }
            }
        );
    }

    private Block? FindBlock()
    {
        var answer = bus.Call(new(Service, Path, Manager, "ListInhibitors"));
        if (answer.Signature != "a(ssssuu)")
        {
            throw ErrorRegistry.HostServiceRefused.Refusal(Service, $"ListInhibitors brought '{answer.Signature}'.");
        }
        foreach (var inhibitor in answer.Read<object[]>().Cast<object[]>())
        {
            var (what, who, why, mode) = (
                (string)inhibitor[0],
                (string)inhibitor[1],
                (string)inhibitor[2],
                (string)inhibitor[3]
            );
            // 'block-weak' is systemd 257's word for what 'block' was before.
            if (mode is "block" or "block-weak" && what.Split(':').Contains("shutdown"))
            {
                return new(who, why);
            }
        }
        return null;
    }

    private static EdgeDmException Inhibited(Block block) =>
        ErrorRegistry.RebootInhibited.Refusal(
            "reboot",
            $"'{block.Who}' holds the host up: {block.Why}.",
            ("who", block.Who),
            ("why", block.Why)
        );

    private sealed record Block(string Who, string Why);
}
