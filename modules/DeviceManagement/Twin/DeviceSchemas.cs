using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.DeviceManagement.Host;
using EdgeDm.DeviceManagement.Methods;
using EdgeDm.ModuleHost;

namespace EdgeDm.DeviceManagement.Twin;

/// <summary>
/// Reported <c>__deviceSchemas</c>: what this gateway understands, each with its version; which HostAccess there is; and, while it
/// cannot be worked with, why.
/// </summary>
internal sealed class DeviceSchemas(
    IModuleHub hub,
    HostAccessClient host,
    IReadOnlyCollection<IConfigurationGroup> groups
)
{
    private const string HostAccess = "HostAccess";

    /// <summary>Reports now and whenever another HostAccess answers.</summary>
    public void Follow()
    {
        host.AgreementChanged += Report;
        Report();
    }

    private void Report() =>
        hub.Report(new Dictionary<string, JsonNode?> { [TwinNames.DeviceSchemas] = Describe(host.Agreement) });

    private JsonObject Describe(HostAgreement? agreement)
    {
        var schemas = new JsonObject();
        foreach (var group in groups)
        {
            schemas[group.Name] = Schema("group", group.InterfaceVersion);
        }
        foreach (var method in JobMethods.Names)
        {
            schemas[method] = Schema("method", "1.0.0");
        }
        if (agreement is not null)
        {
            schemas[HostAccess] = Schema("hostApi", agreement.ApiVersion.ToString());
            schemas[HostAccess]!["version"] = agreement.Version;
        }
        if (agreement?.Error is { } error)
        {
            foreach (var name in groups.Select(g => g.Name).Concat(JobMethods.NeedingHost).Append(HostAccess))
            {
                schemas[name]!["error"] = JsonSerializer.SerializeToNode(error, ContractsJson.Default.ErrorObject);
            }
        }
        return schemas;
    }

    private static JsonObject Schema(string type, string version) =>
        new() { ["type"] = type, ["interfaceVersion"] = version };
}
