using EdgeDm.Contracts;
using EdgeDm.HostAccess.Hosts.Linux.DBus;

namespace EdgeDm.HostAccess.Hosts.Linux.Rauc;

/// <summary>
/// RAUC on the host, by its D-Bus interface (RAUC documentation, "D-Bus API"; version 1.8 and newer). It installs in its own process, which
/// outlives HostAccess: an installation that was begun is found again, and while it runs RAUC takes no other.
/// </summary>
internal sealed class RaucInstaller(HostBus bus)
{
    public const string Service = "de.pengutronix.rauc";

    private const string Path = "/";
    private const string Interface = "de.pengutronix.rauc.Installer";
    private const string Unit = "rauc.service";
    private const string Idle = "idle";

    /// <summary>RAUC reads and checks a whole bundle of the plain format before it says anything of it.</summary>
    private static readonly TimeSpan ReadTime = TimeSpan.FromMinutes(10);

    /// <summary>Null when the host has RAUC's service; otherwise why not.</summary>
    public string? FindObstacle()
    {
        var names = bus.Call(new(DBusNames.Bus, DBusNames.BusPath, DBusNames.Bus, "ListActivatableNames"));
        return
            names.Read<object[]>().Contains(Service)
            || bus.Call(new(DBusNames.Bus, DBusNames.BusPath, DBusNames.Bus, "NameHasOwner", "s", Service)).Read<bool>()
            ? null
            : "The host has no RAUC service.";
    }

    /// <summary>All slots.</summary>
    public RaucSlots ReadSlots()
    {
        var answer = bus.Call(new(Service, Path, Interface, "GetSlotStatus"));
        return answer.Signature == "a(sa{sv})"
            ? new([.. answer.Read<object[]>().Cast<object[]>().Select(RaucSlot.Of)])
            : throw ErrorRegistry.HostServiceRefused.Refusal(Service, $"GetSlotStatus brought '{answer.Signature}'.");
    }

    /// <summary>Name of the slot that the boot loader takes next.</summary>
    public string ReadPrimary() => bus.Call(new(Service, Path, Interface, "GetPrimary")).Read<string>();

    /// <summary>What the host's bundles must be made for.</summary>
    public string ReadCompatible() => bus.Get<string>(Service, Path, Interface, "Compatible");

    /// <summary>True while RAUC works for anybody.</summary>
    public bool IsWorking() => bus.Get<string>(Service, Path, Interface, "Operation") != Idle;

    /// <summary>What a bundle says of itself, once RAUC has found its signature right.</summary>
    /// <exception cref="EdgeDmException"><c>hostServiceRefused</c>: RAUC does not take it.</exception>
    public Task<RaucBundle> ReadBundleAsync(string path, CancellationToken cancel) =>
        bus.AskAsync(
            Service,
            async (client, limited) =>
            {
                var call = new DBusCall(Service, Path, Interface, "Info", "s", path) { TimeLimit = ReadTime };
                var answer = await client.CallAsync(call, limited);
                return new RaucBundle(answer.Read<string>(), answer.Read<string>(1));
            },
            cancel
        );

    /// <summary>Installs a bundle into the slots that do not run, to the end.</summary>
    /// <param name="path">As the host knows it.</param>
    /// <param name="progress">Percent.</param>
    /// <param name="cancel">Ends the waiting, not the installation.</param>
    /// <returns>Null when it succeeded; otherwise RAUC's words.</returns>
    public Task<string?> InstallAsync(string path, IProgress<int> progress, CancellationToken cancel) =>
        FollowAsync(
            async (client, limited) =>
            {
                var options = new Dictionary<object, object>();
                await client.CallAsync(
                    new(Service, Path, Interface, "InstallBundle", "sa{sv}", path, options),
                    limited
                );
                return true;
            },
            progress,
            cancel
        );

    /// <summary>Waits for the end of what RAUC works on.</summary>
    /// <returns>Null when RAUC does nothing: the end, if there was one, was missed.</returns>
    public async Task<RaucEnd?> JoinAsync(IProgress<int> progress, CancellationToken cancel)
    {
        var ran = false;
        var failure = await FollowAsync(
            async (client, limited) =>
                ran = await client.GetAsync<string>(Service, Path, Interface, "Operation", limited) != Idle,
            progress,
            cancel
        );
        return ran ? new(failure) : null;
    }

    /// <summary>Marks a slot.</summary>
    /// <param name="state"><c>good</c>, <c>bad</c> or <c>active</c> (the boot loader takes it next).</param>
    /// <param name="slot">A slot's name, or <c>booted</c>.</param>
    public void Mark(string state, string slot) => bus.Call(new(Service, Path, Interface, "Mark", "ss", state, slot));

    /// <summary>Ends RAUC with whatever it does, and starts it anew. What it was writing is no good slot.</summary>
    public void Restart() =>
        bus.Call(new(Systemd.Service, Systemd.Path, Systemd.Manager, "RestartUnit", "ss", Unit, "replace"));

    /// <summary>Has the signals come before it begins, so that the end cannot be missed.</summary>
    private Task<string?> FollowAsync(
        Func<DBusClient, CancellationToken, Task<bool>> begin,
        IProgress<int> progress,
        CancellationToken cancel
    ) =>
        bus.AskAsync(
            Service,
            async (client, limited) =>
            {
                using var completed = await client.SubscribeAsync(new(Service, Path, Interface, "Completed"), limited);
                using var changed = await client.SubscribeAsync(
                    new(Service, Path, DBusNames.Properties, "PropertiesChanged", Interface),
                    limited
                );
                if (!await begin(client, limited))
                {
                    return null;
                }
                using var following = CancellationTokenSource.CreateLinkedTokenSource(limited);
                var told = FollowProgressAsync(changed, progress, following.Token);
                var end = await completed.FirstAsync(_ => true, limited);
                await following.CancelAsync();
                await told.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (end.Read<int>() == 0)
                {
                    return null;
                }
                var words = await client.GetAsync<string>(Service, Path, Interface, "LastError", limited);
                return words.Length == 0 ? "RAUC does not say why" : words;
            },
            cancel
        );

    private static async Task FollowProgressAsync(
        DBusSubscription changed,
        IProgress<int> progress,
        CancellationToken cancel
    )
    {
        await foreach (var signal in changed.ReadAllAsync(cancel))
        {
            if (
                signal.Read<Dictionary<object, object>>(1).TryGetValue("Progress", out var value)
                && value is DBusVariant { Value: object[] and [int percent, ..] }
            )
            {
                progress.Report(percent);
            }
        }
    }
}

/// <summary>What a bundle says of itself.</summary>
/// <param name="Compatible">Which systems it is made for.</param>
/// <param name="Version">Its maker's words.</param>
internal sealed record RaucBundle(string Compatible, string Version);

/// <summary>How an installation ended.</summary>
/// <param name="Failure">Null when it succeeded; otherwise RAUC's words.</param>
internal sealed record RaucEnd(string? Failure);
