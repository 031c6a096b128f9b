using System.Collections.Immutable;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Hosts;
using EdgeDm.HostAccess.Hosts.Simulated;
using EdgeDm.HostAccess.Updates.Handlers.Script;
using EdgeDm.HostAccess.Updates.Handlers.Simulator;
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
    /// <exception cref="MisconfiguredException">A handler is listed that this host does not have.</exception>
    public static UpdateHandlers Of(IHost host, UpdateOptions options, TimeProvider time, ILogger logger)
    {
        IUpdateHandler[] known =
        [
            new ScriptHandler(host, options.StepTimeout, time, logger),
            .. host is SimulatedHost simulated ? [new SimulatorHandler(simulated)] : Array.Empty<IUpdateHandler>(),
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
