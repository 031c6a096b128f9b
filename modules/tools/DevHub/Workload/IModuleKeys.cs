namespace EdgeDm.DevHub.Workload;

/// <summary>What the workload API must know of the hub's identities.</summary>
public interface IModuleKeys
{
    /// <summary>The gateway.</summary>
    string DeviceId { get; }

    /// <summary>Name of the IoT Hub.</summary>
    string HubHostName { get; }

    /// <summary>The module's key, or null for a module that the hub does not know.</summary>
    ModuleKey? Find(string moduleId);
}

/// <summary>A module's key.</summary>
/// <param name="GenerationId">Changes when the identity is made anew.</param>
/// <param name="Primary">The secret behind its tokens.</param>
public sealed record ModuleKey(string GenerationId, ReadOnlyMemory<byte> Primary);
