using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Configurations;

/// <summary>The modules that a deployment brings: those with a section, and those that <c>$edgeAgent</c> is to run.</summary>
internal static class DeploymentModules
{
    /// <summary>Makes the identities that are missing.</summary>
    /// <exception cref="HubException">There would be too many, or a name is no id; nothing was made.</exception>
    public static void Ensure(
        IdentityRegistry identities,
        string deviceId,
        IEnumerable<(HubIdentity Twin, IEnumerable<DesiredSetting> Settings)> settings
    )
    {
        var modules = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (twin, wanted) in settings)
        {
            modules.Add(twin.ModuleId!);
            if (twin.ModuleId == SystemModules.EdgeAgent)
            {
                var desired = wanted.Aggregate(new JsonObject(), (before, setting) => setting.Into(before));
                modules.UnionWith(desired["modules"] is JsonObject named ? named.Select(m => m.Key) : []);
            }
        }
        if (modules.FirstOrDefault(module => !HubIdentity.IsValidId(module)) is { } wrong)
        {
            throw new HubException(
                HubError.InvalidConfigurationContent,
                $"'{wrong}' in $edgeAgent's modules is not a valid module id."
            );
        }
        identities.RequireRoomForModules(deviceId, modules);
        foreach (var module in modules)
        {
            identities.Ensure(new(deviceId, module));
        }
    }
}
