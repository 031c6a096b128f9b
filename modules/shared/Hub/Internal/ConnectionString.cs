using System.Net.Security;

namespace EdgeDm.Hub.Internal;

/// <summary>The connection strings of devices and modules. Errors name the part, never its value: it may be a key.</summary>
internal static class ConnectionString
{
    /// <summary>Most characters. Two ids of 128, two names of 253 and a token are well below.</summary>
    public const int MaxLength = 4096;

    private const string Key = "SharedAccessKey";
    private const string KeyName = "SharedAccessKeyName";
    private const string Token = "SharedAccessSignature";
    private const string Certificate = "x509";

    private static readonly string[] Known =
    [
        "HostName",
        "GatewayHostName",
        "DeviceId",
        "ModuleId",
        KeyName,
        Key,
        Token,
        Certificate,
    ];

    public static HubSessionOptions Parse(string text, SslClientAuthenticationOptions? tls)
    {
        if (text.Length > MaxLength)
        {
            throw new FormatException($"The connection string has {text.Length} characters; the limit is {MaxLength}.");
        }
        var parts = Split(text);
        return new()
        {
            HubHostName = Checked("HostName", Required(parts, "HostName"), OptionsCheck.CheckHost)!,
            GatewayHostName = Checked(
                "GatewayHostName",
                parts.GetValueOrDefault("GatewayHostName"),
                OptionsCheck.CheckHost
            ),
            DeviceId = Checked("DeviceId", Required(parts, "DeviceId"), OptionsCheck.CheckId)!,
            ModuleId = Checked("ModuleId", parts.GetValueOrDefault("ModuleId"), OptionsCheck.CheckId),
            Credential = CredentialOf(parts, tls),
            Tls = tls,
        };
    }

    /// <summary>Null = the client certificate of the TLS options.</summary>
    private static HubCredential? CredentialOf(Dictionary<string, string> parts, SslClientAuthenticationOptions? tls)
    {
        string[] given =
        [
            .. new[] { Key, Token }.Where(parts.ContainsKey),
            .. IsX509(parts) ? [Certificate] : Array.Empty<string>(),
        ];
        if (given.Length != 1)
        {
            throw new FormatException(
                given.Length == 0
                    ? $"The connection string has neither {Key}, {Token} nor {Certificate}=true."
                    : $"The connection string has both {string.Join(" and ", given)}; there can be one credential."
            );
        }
        if (parts.ContainsKey(KeyName) && given[0] != Key)
        {
            throw new FormatException($"The connection string has {KeyName} without {Key}.");
        }
        if (given[0] == Certificate && !HubTls.HasClientCertificate(tls))
        {
            throw new FormatException(
                $"The connection string has {Certificate}=true; give TLS options with a client certificate beside it."
            );
        }
        return given[0] switch
        {
            Key => HubCredential.FromKey(parts[Key], policyName: parts.GetValueOrDefault(KeyName)),
            Token => HubCredential.FromToken(parts[Token]),
            _ => null,
        };
    }

    private static bool IsX509(Dictionary<string, string> parts) =>
        parts.TryGetValue(Certificate, out var value)
        && (
            bool.TryParse(value, out var wanted)
                ? wanted
                : throw new FormatException($"The connection string's {Certificate} is neither true nor false.")
        );

    private static Dictionary<string, string> Split(string text)
    {
        var parts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? "" : part[..equals];
            if (!Known.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                throw new FormatException(
                    LooksLikeName(name)
                        ? $"The connection string has the unknown part '{name}'."
                        : "The connection string has a part that is not name=value."
                );
            }
            if (equals == part.Length - 1)
            {
                throw new FormatException($"The connection string's {name} is empty; every part is name=value.");
            }
            if (!parts.TryAdd(name, part[(equals + 1)..]))
            {
                throw new FormatException($"The connection string has {name} twice.");
            }
        }
        return parts;
    }

    /// <summary>What stands before '=' may be the rest of a key: of that, not a letter is told.</summary>
    private static bool LooksLikeName(string text)
    {
        const int LongestName = 24;
        return text.Length is > 0 and <= LongestName && text.All(char.IsAsciiLetterOrDigit);
    }

    /// <summary>A wrong name or id, which is no secret and is told.</summary>
    private static string? Checked(string name, string? value, Action<string, string> check)
    {
        try
        {
            if (value is not null)
            {
                check($"The connection string's {name}", value);
            }
            return value;
        }
        catch (ArgumentException error)
        {
            throw new FormatException(error.Message, error);
        }
    }

    private static string Required(Dictionary<string, string> parts, string name) =>
        parts.GetValueOrDefault(name) ?? throw new FormatException($"The connection string has no {name}.");
}
