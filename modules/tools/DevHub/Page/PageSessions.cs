using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace EdgeDm.DevHub.Page;

/// <summary>
/// Start tokens and the sessions that they are exchanged for. Only hashes are kept, so a look-up takes the same time whatever is
/// asked. Safe for use by many threads.
/// </summary>
/// <param name="most">Sessions; one more ends the oldest.</param>
internal sealed class PageSessions(int most)
{
    private const int SecretBytes = 32;

    private readonly Lock gate = new();
    private readonly Queue<string> order = new();
    private readonly HashSet<string> open = new(StringComparer.Ordinal);
    private string? startToken;

    /// <summary>A new start token; the last one that was not used is void.</summary>
    public string NewStartToken()
    {
        var token = NewSecret();
        lock (gate)
        {
            startToken = HashOf(token);
        }
        return token;
    }

    /// <summary>Exchanges a start token, once, for a session's secret; null when the token is not the one.</summary>
    public string? Open(string? token)
    {
        lock (gate)
        {
            if (string.IsNullOrEmpty(token) || startToken is null || HashOf(token) != startToken)
            {
                return null;
            }
            startToken = null;
            var secret = NewSecret();
            if (order.Count == most)
            {
                open.Remove(order.Dequeue());
            }
            order.Enqueue(HashOf(secret));
            open.Add(HashOf(secret));
            return secret;
        }
    }

    /// <summary>True for the secret of a session that is open.</summary>
    public bool IsOpen(string? secret)
    {
        lock (gate)
        {
            return !string.IsNullOrEmpty(secret) && open.Contains(HashOf(secret));
        }
    }

    private static string NewSecret() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SecretBytes));

    private static string HashOf(string secret) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));
}
