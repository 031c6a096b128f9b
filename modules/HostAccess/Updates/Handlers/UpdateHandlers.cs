using System.Collections.Immutable;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Hosts;
using EdgeDm.HostAccess.Hosts.Linux;
using EdgeDm.HostAccess.Hosts.Simulated;
using EdgeDm.HostAccess.Updates.Handlers.Apt;
using EdgeDm.HostAccess.Updates.Handlers.Rauc;
using EdgeDm.HostAccess.Updates.Handlers.Script;
using EdgeDm.HostAccess.Updates.Handlers.Simulator;
using EdgeDm.HostAccess.Updates.Handlers.Swupdate;
using EdgeDm.HostAccess.Updates.Handlers.Units;
using EdgeDm.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Updates.Handlers;

/// <summary>The handlers that this host has and host-access.json allows.</summary>
internal sealed class UpdateHandlers
{
    private readonly ImmutableSortedDictionary<string, IUpdateHandler> handlers;

    private UpdateHandlers(ImmutableSortedDictionary<string, IUpdateHandler> handlers) => this.handlers = handlers;

    /// <summary>Their names.</summary>
    public ImmutableArray<string> Names => [.. handlers.Keys];

    /// <summary>The handlers of this host.</summary>
    /// <param name="host">Runs their units.</param>
    /// <param name="options">Which of them may run, and how.</param>
    /// <param name="data">HostAccess's own folder.</param>
    /// <param name="time">For waiting.</param>
    /// <param name="logger">Gets what units write.</param>
    /// <exception cref="MisconfiguredException">A handler is listed that this host does not have.</exception>
    public static UpdateHandlers Of(IHost host, UpdateOptions options, string data, TimeProvider time, ILogger logger)
    {
        var units = new StepUnits(host, options.StepTimeout, time, logger);
        var hostRoot = (host as SimulatedHost)?.Root ?? "";
        IUpdateHandler[] known =
        [
            new ScriptHandler(ScriptDialect.Script, units),
            new ScriptHandler(ScriptDialect.Swupdate, units),
            new SwupdateHandler(units, hostRoot),
            new AptHandler(
                units,
                new AptCommands(hostRoot, options.AllowAptDowngrades),
                new AptMemory(Path.Combine(data, "apt-installed.json"), time, logger)
            ),
            .. host is LinuxHost linux
                ? [new RaucHandler(linux.Rauc, options.StepTimeout, time, logger)]
                : Array.Empty<IUpdateHandler>(),
            .. host is SimulatedHost simulated
                ? [new SimulatorHandler(simulated, time)]
                : Array.Empty<IUpdateHandler>(),
        ];
        foreach (var name in options.Handlers.Where(name => known.All(handler => handler.Name != name)))
        {
            throw new MisconfiguredException(
                $"host-access.json: property 'updates.handlers' lists '{name}'; this host has {string.Join(", ", known.Select(h => h.Name))}."
            );
        }
        return new(
            known
                .Where(handler => options.Handlers.Contains(handler.Name))
                .ToImmutableSortedDictionary(handler => handler.Name, handler => handler, StringComparer.Ordinal)
        );
    }

    /// <summary>The handler, or null when there is none of this name.</summary>
    public IUpdateHandler? Find(string name) => handlers.GetValueOrDefault(name);

    /// <summary>Forgets what any handler keeps of an update whose result is on record.</summary>
    public void CleanUp(string commandId)
    {
        foreach (var handler in handlers.Values)
        {
            handler.CleanUp(commandId);
        }
    }
}
