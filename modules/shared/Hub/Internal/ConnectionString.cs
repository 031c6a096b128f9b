namespace EdgeDm.Hub.Internal;

/// <summary>The connection strings of devices and modules. Errors name the part, never its value: it may be a key.</summary>
internal static class ConnectionString
{
    private static readonly string[] Known =
    [
        "HostName",
        "GatewayHostName",
        "DeviceId",
        "ModuleId",
        "SharedAccessKey",
        "SharedAccessSignature",
    ];

    public static HubSessionOptions Parse(string text)
    {
        var parts = Split(text);
        return new()
        {
            HubHostName = Required(parts, "HostName"),
            GatewayHostName = parts.GetValueOrDefault("GatewayHostName"),
            DeviceId = Required(parts, "DeviceId"),
            ModuleId = parts.GetValueOrDefault("ModuleId"),
            Credential = (
                parts.GetValueOrDefault("SharedAccessKey"),
                parts.GetValueOrDefault("SharedAccessSignature")
            ) switch
            {
                ({ } key, null) => HubCredential.FromKey(key),
                (null, { } token) => HubCredential.FromToken(token),
                (null, null) => throw new FormatException(
                    "The connection string has neither SharedAccessKey nor SharedAccessSignature."
                ),
                _ => throw new FormatException(
                    "The connection string has both SharedAccessKey and SharedAccessSignature."
                ),
            },
        };
    }

    private static Dictionary<string, string> Split(string text)
    {
        var parts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || equals == part.Length - 1)
            {
                throw new FormatException("The connection string has a part that is not name=value.");
            }
            var name = part[..equals];
            if (!Known.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                throw new FormatException($"The connection string has the unknown part '{name}'.");
            }
            if (!parts.TryAdd(name, part[(equals + 1)..]))
            {
                throw new FormatException($"The connection string has {name} twice.");
            }
        }
        return parts;
    }

    private static string Required(Dictionary<string, string> parts, string name) =>
        parts.GetValueOrDefault(name) ?? throw new FormatException($"The connection string has no {name}.");
}
