using System.Globalization;
using System.Text;

namespace EdgeDm.Hub.Internal;

/// <summary>
/// A shared access signature: <c>SharedAccessSignature sr={audience}&amp;sig={signature}&amp;se={expiry}[&amp;skn={policy}]</c>.
/// </summary>
internal sealed class SasToken(string audience, DateTimeOffset expires, string? policyName = null)
{
    private const string Scheme = "SharedAccessSignature ";

    private readonly string resource = Uri.EscapeDataString(audience);
    private readonly string expiry = expires.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

    /// <summary>What the key's holder signs: the resource exactly as it is sent, and the expiry.</summary>
    public byte[] ToSign() => Encoding.UTF8.GetBytes($"{resource}\n{expiry}");

    public string Complete(byte[] signature) =>
        $"{Scheme}sr={resource}&sig={Uri.EscapeDataString(Convert.ToBase64String(signature))}&se={expiry}"
        + (policyName is null ? "" : $"&skn={Uri.EscapeDataString(policyName)}");

    /// <summary>The time in <c>se</c>.</summary>
    public static DateTimeOffset ExpiryOf(string token)
    {
        if (token.StartsWith(Scheme, StringComparison.Ordinal))
        {
            foreach (var field in token[Scheme.Length..].Split('&'))
            {
                if (
                    field.StartsWith("se=", StringComparison.OrdinalIgnoreCase)
                    && long.TryParse(field[3..], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                    && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
                )
                {
                    return DateTimeOffset.FromUnixTimeSeconds(seconds);
                }
            }
        }
        throw new FormatException("The token is no shared access signature with an expiry (se).");
    }
}
