using System.Text.Json.Nodes;
using EdgeDm.DevHub.Deployment;
using EdgeDm.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Launching;

/// <summary>What a deployment means on this machine.</summary>
internal sealed partial class ModulePlan
{
    private readonly DeploymentManifest manifest;

    private ModulePlan(
        DeploymentManifest manifest,
        IReadOnlyDictionary<string, ModuleLaunch> launches,
        IReadOnlyDictionary<string, ModuleState> others
    ) => (this.manifest, Launches, Others) = (manifest, launches, others);

    /// <summary>The modules that are launched, and how.</summary>
    public IReadOnlyDictionary<string, ModuleLaunch> Launches { get; }

    /// <summary>The modules that are not, and why.</summary>
    public IReadOnlyDictionary<string, ModuleState> Others { get; }

    /// <summary>All modules in their start order.</summary>
    public IEnumerable<string> Order => manifest.Modules.Select(module => module.Id);

    /// <summary>Plans.</summary>
    /// <exception cref="MisconfiguredException">A module cannot be launched, whatever happens later.</exception>
    public static ModulePlan Of(
        DeploymentManifest manifest,
        IModuleRuntime runtime,
        IReadOnlySet<string> except,
        ILogger logger
    )
    {
        var launches = new Dictionary<string, ModuleLaunch>(StringComparer.Ordinal);
        var others = new Dictionary<string, ModuleState>(StringComparer.Ordinal);
        foreach (var module in manifest.Modules)
        {
            if (except.Contains(module.Id))
            {
                others[module.Id] = new(module.Id, "unknown", null, null, 0, "left to be started by hand");
            }
            else if (!module.IsWanted)
            {
                others[module.Id] = new(module.Id, "stopped", null, null, 0, "the deployment wants it stopped");
            }
            else
            {
                try
                {
                    launches[module.Id] = Launch(module, runtime);
                }
                catch (FileNotFoundException error)
                {
                    // The others may be of use without it.
                    LogCannotLaunch(logger, module.Id, error.Message);
                    others[module.Id] = new(module.Id, "failed", null, null, 0, error.Message);
                }
            }
        }
        return new(manifest, launches, others);
    }

    /// <summary>True when a module's container would not be made anew: both plans launch it, and in the same way.</summary>
    public bool KeepsRunning(string id, ModulePlan former) =>
        Launches.ContainsKey(id)
        && former.Launches.ContainsKey(id)
        && manifest.Find(id) is { } now
        && former.manifest.Find(id) is { } before
        && now.Image == before.Image
        && now.RestartPolicy == before.RestartPolicy
        && now.Env.Count == before.Env.Count
        && !now.Env.Except(before.Env).Any()
        && JsonNode.DeepEquals(now.CreateOptions.Document, before.CreateOptions.Document);

    private static ModuleLaunch Launch(ModuleDeployment module, IModuleRuntime runtime)
    {
        try
        {
            return runtime.Plan(module);
        }
        catch (ArgumentException error)
        {
            throw new MisconfiguredException($"Module {module.Id}: {error.Message}");
        }
    }

    /// <summary>Fails unless the deployment has all these modules.</summary>
    /// <exception cref="MisconfiguredException">It has not.</exception>
    public static void RequireKnown(IEnumerable<string> ids, DeploymentManifest manifest)
    {
        if (ids.FirstOrDefault(id => manifest.Find(id) is null) is { } unknown)
        {
            throw new MisconfiguredException(
                $"The deployment has no module '{unknown}'. It has {string.Join(", ", manifest.Modules.Select(module => module.Id))}."
            );
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Module} cannot be launched: {Reason}")]
    private static partial void LogCannotLaunch(ILogger logger, string module, string reason);
}
