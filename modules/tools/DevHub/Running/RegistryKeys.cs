using EdgeDm.DevHub.Workload;

namespace EdgeDm.DevHub.Running;

/// <summary>The hub's identities as the workload API sees them.</summary>
internal sealed class RegistryKeys(DevHubServer server) : IModuleKeys
{
    public string DeviceId => server.Identities.DeviceId;

    public string HubHostName => server.HubHostName;

    public ModuleKey? Find(string moduleId) =>
        server.Identities.Find(new(DeviceId, moduleId)) is { } identity
            ? new(identity.GenerationId, Convert.FromBase64String(identity.PrimaryKey))
            : null;
}
