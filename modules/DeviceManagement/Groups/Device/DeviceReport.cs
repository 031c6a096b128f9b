using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.ModuleHost;

namespace EdgeDm.DeviceManagement.Groups.Device;

/// <summary>
/// Reported group <c>device</c>: the Device object's values as Telemetry notified them. Nothing can be desired of it, and
/// a value is as old as its notification.
/// </summary>
internal sealed class DeviceReport(IModuleHub hub)
{
    private const string Name = "device";
    private const string Prefix = Name + "/";

    private readonly SortedDictionary<string, JsonElement> values = new(StringComparer.Ordinal);

    /// <summary>Takes a notification; values of other objects are not this group's.</summary>
    public void Receive(InputMessage message)
    {
        var notification =
            JsonSerializer.Deserialize(message.Payload.Span, ContractsJson.Default.Notification)
            ?? throw new BadMessageException("A notification is null.");
        foreach (var value in notification.Values.Where(v => v.Resource.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            values[value.Resource[Prefix.Length..]] = value.Value.Clone();
        }
        var report = new JsonObject();
        foreach (var (name, value) in values)
        {
            report[name] = JsonValue.Create(value);
        }
        hub.Report(new Dictionary<string, JsonNode?> { [Name] = report });
    }
}
