using System.Diagnostics.CodeAnalysis;
using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Broker;

/// <summary>
/// A CONNECT's user name: <c>{host}/{device}[/{module}]/?api-version=...</c>, with or without the <c>?</c>. As edgeHub: the host is
/// not looked at, <c>api-version</c> must have some value, other parameters are ignored.
/// </summary>
internal static class ClientUserName
{
    private const string ApiVersion = "api-version";

    /// <summary>Reads whom the client says to be.</summary>
    public static bool TryParse(string? userName, out HubIdentity identity, [NotNullWhen(false)] out string? problem)
    {
        identity = default;
        problem = null;
        var text = userName ?? "";
        var mark = text.IndexOf("/?", StringComparison.Ordinal);
        var bare = text.IndexOf($"/{ApiVersion}=", StringComparison.Ordinal);
        var end = mark < 0 || (bare >= 0 && bare < mark) ? bare : mark;
        var parts = end < 0 ? [] : text[..end].Split('/');
        if (parts.Length is not (2 or 3) || parts.Any(p => p.Length == 0))
        {
            problem = "its user name is not {host}/{device}[/{module}]/?api-version=...";
            return false;
        }
        if (!HasApiVersion(text[(end + 1)..].TrimStart('?')))
        {
            problem = "its user name has no api-version";
            return false;
        }
        identity = new(parts[1], parts.Length == 3 ? parts[2] : null);
        return true;
    }

    private static bool HasApiVersion(string query)
    {
        foreach (var parameter in query.Split('&'))
        {
            var equals = parameter.IndexOf('=', StringComparison.Ordinal);
            // Of two, the first counts.
            if (equals > 0 && parameter[..equals] == ApiVersion)
            {
                return equals < parameter.Length - 1;
            }
        }
        return false;
    }
}
