using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EdgeDm.DevHub.Identities;

/// <summary>
/// A shared access signature: <c>SharedAccessSignature sr=..&amp;sig=..&amp;se=..[&amp;skn=..]</c>, fields in any order. The signature
/// is over the <b>raw</b> text of <c>sr</c>, for the SDKs encode it differently (C# twice, Node once, either case of hex).
/// </summary>
public sealed class SasToken
{
    private const string Scheme = "SharedAccessSignature ";

    private readonly string rawResource;
    private readonly string rawExpiry;
    private readonly byte[] signature;

    private SasToken(string rawResource, string rawExpiry, byte[] signature, DateTimeOffset expiry, string? policy)
    {
        this.rawResource = rawResource;
        this.rawExpiry = rawExpiry;
        this.signature = signature;
        Expiry = expiry;
        Policy = policy;
    }

    /// <summary>Field <c>se</c>.</summary>
    public DateTimeOffset Expiry { get; }

    /// <summary>Field <c>skn</c>; null when absent.</summary>
    public string? Policy { get; }

    /// <summary>Field <c>sr</c>, decoded once: <c>host/devices/d/modules/m</c>, ids possibly still encoded.</summary>
    public string Resource => Uri.UnescapeDataString(rawResource);

    /// <summary>Reads a token. Never throws.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out SasToken? token)
    {
        token = null;
        if (text is null || !text.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }
        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var field in text[Scheme.Length..].Split('&'))
        {
            var equals = field.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 || !fields.TryAdd(field[..equals], field[(equals + 1)..]))
            {
                return false;
            }
        }
        if (
            !fields.TryGetValue("sr", out var resource)
            || !fields.TryGetValue("sig", out var signed)
            || !fields.TryGetValue("se", out var expiry)
            || !long.TryParse(expiry, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds()
        )
        {
            return false;
        }
        var bytes = new byte[signed.Length];
        if (!Convert.TryFromBase64String(Uri.UnescapeDataString(signed), bytes, out var length))
        {
            return false;
        }
        var policy = fields.TryGetValue("skn", out var name) && name.Length > 0 ? Uri.UnescapeDataString(name) : null;
        token = new(resource, expiry, bytes[..length], DateTimeOffset.FromUnixTimeSeconds(seconds), policy);
        return true;
    }

    /// <summary>True when this key made the signature. Takes the same time for every wrong signature.</summary>
    /// <param name="key">Base64.</param>
    public bool IsSignedBy(string key) =>
        CryptographicOperations.FixedTimeEquals(
            signature,
            HMACSHA256.HashData(Convert.FromBase64String(key), Encoding.UTF8.GetBytes($"{rawResource}\n{rawExpiry}"))
        );

    /// <summary>Makes a token.</summary>
    /// <param name="resource">Not encoded, for example <c>host/devices/d</c>.</param>
    /// <param name="key">Base64.</param>
    /// <param name="expiry">When it ends.</param>
    /// <param name="policy">Name of the service's policy; null for a device or module.</param>
    public static string Make(string resource, string key, DateTimeOffset expiry, string? policy = null)
    {
        var encoded = Uri.EscapeDataString(resource);
        var seconds = expiry.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var hash = HMACSHA256.HashData(Convert.FromBase64String(key), Encoding.UTF8.GetBytes($"{encoded}\n{seconds}"));
        var token = $"{Scheme}sr={encoded}&sig={Uri.EscapeDataString(Convert.ToBase64String(hash))}&se={seconds}";
        return policy is null ? token : $"{token}&skn={Uri.EscapeDataString(policy)}";
    }
}
