using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Service;

/// <summary>Reads what a service says of an identity, in the form of IoT Hub's devices, modules and bulk entries.</summary>
internal static class IdentityReader
{
    private const int LeastKeyBytes = 16;
    private const int MostKeyBytes = 64;
    private const int LongestReason = 128;

    /// <summary>Reads a body that says of <paramref name="id"/> what it wants, and may name it again.</summary>
    /// <exception cref="HubException"><see cref="HubError.ArgumentInvalid"/>, naming the property.</exception>
    /// <exception cref="JsonException">A property is of another type.</exception>
    public static IdentityWrite Read(HubIdentity id, JsonObject body)
    {
        RequireSame(body, "deviceId", id.DeviceId);
        RequireSame(body, "moduleId", id.ModuleId);
        if (!HubIdentity.IsValidId(id.DeviceId) || (id.ModuleId is not null && !HubIdentity.IsValidId(id.ModuleId)))
        {
            throw Invalid(
                $"'{id}' is no valid id: 1 to 128 ASCII letters, digits and the characters - : . + % _ # * ? ! ( ) , = @ $ ' are."
            );
        }
        var keys = Keys(Json.ObjectAt(body, "authentication"));
        return id.ModuleId is null
            ? new(
                id,
                keys,
                Disabled(Json.TextAt(body, "status")),
                Reason(Json.TextAt(body, "statusReason")),
                Json.ObjectAt(body, "capabilities") is { } capabilities ? Json.FlagAt(capabilities, "iotEdge") : null,
                Json.TextAt(body, "deviceScope"),
                ParentScope: Parent(body)
            )
            : new(id, keys, ManagedBy: Json.TextAt(body, "managedBy"));
    }

    private static void RequireSame(JsonObject body, string name, string? inPath)
    {
        if (Json.TextAt(body, name) is { Length: > 0 } given && given != inPath)
        {
            throw Invalid($"'{name}' is '{given}', and the address says '{inPath}'.");
        }
    }

    private static bool? Disabled(string? status) =>
        status switch
        {
            null => null,
            _ when status.Equals("enabled", StringComparison.OrdinalIgnoreCase) => false,
            _ when status.Equals("disabled", StringComparison.OrdinalIgnoreCase) => true,
            _ => throw Invalid($"'status' is '{status}' instead of 'enabled' or 'disabled'."),
        };

    // A list of which IoT Hub takes one: empty = none, null = not said.
    private static string? Parent(JsonObject body) =>
        body["parentScopes"] switch
        {
            null => null,
            JsonArray { Count: 0 } => "",
            JsonArray { Count: 1 } scopes when scopes[0] is JsonValue value && value.TryGetValue(out string? scope) =>
                scope,
            _ => throw Invalid("'parentScopes' must be a list of one scope, or of none."),
        };

    private static string? Reason(string? reason) =>
        reason is { Length: > LongestReason }
            ? throw Invalid($"'statusReason' is longer than {LongestReason} characters.")
            : reason;

    private static (string, string)? Keys(JsonObject? authentication)
    {
        if (authentication is null)
        {
            return null;
        }
        if (Json.TextAt(authentication, "type") is { } type && !type.Equals("sas", StringComparison.OrdinalIgnoreCase))
        {
            throw Invalid($"'authentication.type' is '{type}'. This dev hub has 'sas' only.");
        }
        var keys = Json.ObjectAt(authentication, "symmetricKey") ?? [];
        var primary = Json.TextAt(keys, "primaryKey") ?? "";
        var secondary = Json.TextAt(keys, "secondaryKey") ?? "";
        if (primary.Length == 0 != (secondary.Length == 0))
        {
            throw Invalid("Either both keys or none can be given.");
        }
        if (primary.Length == 0)
        {
            return null;
        }
        CheckKey("primaryKey", primary);
        CheckKey("secondaryKey", secondary);
        return (primary, secondary);
    }

    // The key itself is not told.
    private static void CheckKey(string name, string key)
    {
        var bytes = new byte[key.Length];
        if (!Convert.TryFromBase64String(key, bytes, out var length) || length is < LeastKeyBytes or > MostKeyBytes)
        {
            throw Invalid($"'{name}' is not base64 of {LeastKeyBytes} to {MostKeyBytes} bytes.");
        }
    }

    private static HubException Invalid(string what) => new(HubError.ArgumentInvalid, what);
}
