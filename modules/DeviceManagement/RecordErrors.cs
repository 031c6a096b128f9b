using EdgeDm.Contracts;
using EdgeDm.Durable;

namespace EdgeDm.DeviceManagement;

/// <summary>This module's disk in the registry's words.</summary>
internal static class RecordErrors
{
    /// <summary>What is told when a record cannot be written.</summary>
    /// <param name="error">The file system's.</param>
    /// <param name="what">What waits or was refused, as a sentence.</param>
    public static ErrorObject Of(IOException error, string what) =>
        FullDisk.IsCauseOf(error)
            ? ErrorRegistry.NoSpace.Error(
                Subsystems.DeviceManagement,
                "data",
                $"The folder of DeviceManagement's records is full. {what}",
                ("available", "0")
            )
            : ErrorRegistry.Internal.Error(
                Subsystems.DeviceManagement,
                "data",
                $"DeviceManagement cannot write its records ({error.GetType().Name}). {what}"
            );
}
