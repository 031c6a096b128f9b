using System.Security.Cryptography;
using System.Text;

namespace EdgeDm.Cli;

/// <summary>SAS tokens of a service policy; one serves until shortly before its end. Source: IoT Hub, control access with SAS.</summary>
internal sealed class ServiceToken(ServiceConnectionString connection, TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(10);
    private string? token;
    private DateTimeOffset end;

    /// <summary>The value of the Authorization header.</summary>
    public string Current
    {
        get
        {
            var now = time.GetUtcNow();
            if (token is null || now + Margin > end)
            {
                end = now + Lifetime;
                token = Make(end.ToUnixTimeSeconds());
            }
            return token;
        }
    }

    private string Make(long expiry)
    {
        var resource = Uri.EscapeDataString(connection.Host);
        var signature = HMACSHA256.HashData(connection.Key, Encoding.UTF8.GetBytes($"{resource}\n{expiry}"));
        return $"SharedAccessSignature sr={resource}&sig={Uri.EscapeDataString(Convert.ToBase64String(signature))}"
            + $"&se={expiry}&skn={Uri.EscapeDataString(connection.PolicyName)}";
    }
}
