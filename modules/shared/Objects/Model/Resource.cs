using System.Diagnostics.CodeAnalysis;

namespace EdgeDm.Objects;

/// <summary>One resource of the device's object model, under its three names; all of them work wherever a resource is named.</summary>
/// <param name="Name">Seed name, for example <c>device/memoryFree</c>; what EdgeDm itself writes.</param>
/// <param name="ServiceName">Name in the 2016 device management service, for example <c>MemoryFree</c>; null when it had none.</param>
/// <param name="Path">OMA path, for example <c>/3/0/10</c>.</param>
/// <param name="Type">Data type.</param>
/// <param name="Operations">What may be done with it.</param>
/// <param name="Unit">Unit of the number; null when it has none.</param>
public sealed record Resource(
    string Name,
    string? ServiceName,
    string Path,
    ResourceType Type,
    ResourceOperations Operations,
    string? Unit = null
)
{
    /// <summary>Thresholds and steps make sense (LwM2M 1.1, 5.1.2).</summary>
    public bool IsNumeric => Type is ResourceType.Integer or ResourceType.Time;

    /// <summary>Its value can be asked for and observed.</summary>
    public bool IsReadable => Operations.HasFlag(ResourceOperations.Read);
}

/// <summary>Data types of LwM2M that the device's objects use.</summary>
[SuppressMessage("Naming", "CA1720", Justification = "LwM2M's own names.")]
public enum ResourceType
{
    /// <summary>No value: an action.</summary>
    None,

    /// <summary>UTF-8 text; a JSON string.</summary>
    String,

    /// <summary>A whole number; a JSON number.</summary>
    Integer,

    /// <summary>Seconds since 1970 UTC; a JSON number.</summary>
    Time,
}

/// <summary>Operations of LwM2M on a resource.</summary>
[Flags]
public enum ResourceOperations
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Read and Observe.</summary>
    Read = 1,

    /// <summary>Write.</summary>
    Write = 2,

    /// <summary>Execute.</summary>
    Execute = 4,
}
