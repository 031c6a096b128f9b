using System.Diagnostics.CodeAnalysis;
using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Broker;

/// <summary>
/// A CONNECT's user name: <c>{host}/{device}[/{module}]/?api-version=...</c>, with or without the <c>?</c>. As edgeHub: the host is
/// not looked at, <c>api-version</c> must have some value, other parameters than those here are ignored.
/// </summary>
/// <param name="Identity">Whom the client says to be.</param>
/// <param name="AuthChain">Parameter <c>auth-chain</c>: by which way an edgeHub speaks for it; null when absent.</param>
internal sealed record ClientUserName(HubIdentity Identity, string? AuthChain)
{
    private const string ApiVersionName = "api-version";
    private const string AuthChainName = "auth-chain";

    /// <summary>Reads a user name.</summary>
    public static bool TryParse(
        string? userName,
        [NotNullWhen(true)] out ClientUserName? name,
        [NotNullWhen(false)] out string? problem
    )
    {
        name = null;
        problem = null;
        var text = userName ?? "";
        var mark = text.IndexOf("/?", StringComparison.Ordinal);
        var bare = text.IndexOf($"/{ApiVersionName}=", StringComparison.Ordinal);
        var end = mark < 0 || (bare >= 0 && bare < mark) ? bare : mark;
        var parts = end < 0 ? [] : text[..end].Split('/');
        if (parts.Length is not (2 or 3) || parts.Any(p => p.Length == 0))
        {
            problem = "its user name is not {host}/{device}[/{module}]/?api-version=...";
            return false;
        }
        var query = text[(end + 1)..].TrimStart('?');
        if (Parameter(query, ApiVersionName) is not { Length: > 0 })
        {
            problem = "its user name has no api-version";
            return false;
        }
        name = new(new(parts[1], parts.Length == 3 ? parts[2] : null), Parameter(query, AuthChainName));
        return true;
    }

    // Of two of a name, the first counts.
    private static string? Parameter(string query, string name)
    {
        foreach (var parameter in query.Split('&'))
        {
            var equals = parameter.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && parameter[..equals] == name)
            {
                return Uri.UnescapeDataString(parameter[(equals + 1)..]);
            }
        }
        return null;
    }
}
