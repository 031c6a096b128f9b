using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.DeviceManagement.Twin;
using EdgeDm.ModuleHost;

namespace EdgeDm.DeviceManagement.Methods;

/// <summary>Payload of <c>StartRebootCmd</c>: nothing, or <c>commandId</c>, <c>reason</c> and <c>__meta</c>.</summary>
/// <param name="CommandId">Names the job; a repeat with the same id does nothing again.</param>
/// <param name="Reason">For the host's audit log.</param>
internal sealed record StartRebootRequest(string? CommandId, string? Reason)
{
    private const string InterfaceVersion = "1.0.0";

    /// <summary>Reads it. Throws an <see cref="EdgeDmException"/> naming the property that is wrong.</summary>
    public static StartRebootRequest Parse(MethodCall call)
    {
        var payload = MethodReplies.Read(call, TwinJson.Default.JsonNode);
        if (payload is not JsonObject members)
        {
            throw Wrong("payload", "must be an object");
        }
        string? commandId = null,
            reason = null;
        foreach (var (name, value) in members)
        {
            switch (name)
            {
                case "commandId":
                    commandId = Text(name, value);
                    break;
                case "reason":
                    reason = Text(name, value);
                    break;
                case TwinNames.Meta:
                    DesiredMeta.Parse(
                        JsonSerializer.SerializeToElement(payload, TwinJson.Default.JsonNode),
                        InterfaceVersion,
                        out var error
                    );
                    if (error is not null)
                    {
                        throw new EdgeDmException(error);
                    }
                    break;
                default:
                    throw ErrorRegistry.UnknownProperty.Exception(
                        Subsystems.DeviceManagement,
                        name,
                        $"StartRebootCmd has no property '{name}'."
                    );
            }
        }
        return new(commandId, reason);
    }

    /// <summary>The job's payload.</summary>
    public JsonElement ToPayload()
    {
        var payload = new JsonObject();
        if (Reason is not null)
        {
            payload["reason"] = Reason;
        }
        return JsonSerializer.SerializeToElement(payload, TwinJson.Default.JsonNode);
    }

    private static string Text(string name, JsonNode? value) =>
        value is JsonValue text && text.TryGetValue<string>(out var content) && content.Length > 0
            ? content
            : throw Wrong(name, "must be a string that is not empty");

    private static EdgeDmException Wrong(string name, string rule) =>
        ErrorRegistry.InvalidValue.Exception(Subsystems.DeviceManagement, name, $"The value at {name} {rule}.");
}
