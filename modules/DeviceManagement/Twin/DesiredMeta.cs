using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Twin;

/// <summary><c>__meta</c> of a desired group, with its defaults.</summary>
/// <param name="DeploymentId">The operator's label; null when not given.</param>
/// <param name="ServiceInterfaceVersion">The group's schema that the operator wrote for; absent = 1.0.0.</param>
/// <param name="ReportingMode"><c>detailed</c> (default), <c>minimal</c> (no data), <c>none</c> (not reported at all).</param>
internal sealed record DesiredMeta(string? DeploymentId, string ServiceInterfaceVersion, string ReportingMode)
{
    public const string Detailed = "detailed";
    public const string Minimal = "minimal";
    public const string None = "none";

    private const int MaxDeploymentId = 256;

    public static DesiredMeta Default { get; } = new(null, "1.0.0", Detailed);

    /// <summary>Reads it; on an error returns the defaults for what is wrong and tells the error.</summary>
    public static DesiredMeta Parse(JsonElement group, string interfaceVersion, out ErrorObject? error)
    {
        error = null;
        if (!group.TryGetProperty(TwinNames.Meta, out var meta))
        {
            return Default;
        }
        if (meta.ValueKind != JsonValueKind.Object)
        {
            error = Wrong("", "must be an object");
            return Default;
        }
        var result = Default;
        foreach (var property in meta.EnumerateObject())
        {
            var text = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : null;
            switch (property.Name)
            {
                case "deploymentId" when text is { Length: <= MaxDeploymentId }:
                    result = result with { DeploymentId = text };
                    break;
                case "serviceInterfaceVersion" when text is not null:
                    result = result with { ServiceInterfaceVersion = text };
                    if (MajorOf(text) != MajorOf(interfaceVersion))
                    {
                        error = ErrorRegistry.InterfaceVersion.Error(
                            Subsystems.DeviceManagement,
                            $"{TwinNames.Meta}/serviceInterfaceVersion",
                            "The major version differs from the one that this gateway speaks.",
                            ("wanted", text),
                            ("spoken", interfaceVersion)
                        );
                    }
                    break;
                case "reportingMode" when text is Detailed or Minimal or None:
                    result = result with { ReportingMode = text };
                    break;
                case "deploymentId":
                    error = Wrong(property.Name, $"must be a string of at most {MaxDeploymentId} characters");
                    break;
                case "serviceInterfaceVersion":
                    error = Wrong(property.Name, "must be a string x.y.z");
                    break;
                case "reportingMode":
                    error = Wrong(property.Name, "must be 'detailed', 'minimal' or 'none'");
                    break;
                default:
                    error = ErrorRegistry.UnknownProperty.Error(
                        Subsystems.DeviceManagement,
                        $"{TwinNames.Meta}/{property.Name}",
                        $"__meta has no property '{property.Name}'."
                    );
                    break;
            }
        }
        return result;
    }

    private static string MajorOf(string version) => version.Split('.')[0];

    private static ErrorObject Wrong(string name, string rule) =>
        ErrorRegistry.InvalidValue.Error(
            Subsystems.DeviceManagement,
            $"{TwinNames.Meta}/{name}".TrimEnd('/'),
            $"The value {rule}."
        );
}
