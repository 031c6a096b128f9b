using System.Globalization;
using System.Net;
using System.Text;

namespace EdgeDm.Hub.Internal;

/// <summary>
/// A tunnel through an HTTP proxy (CONNECT, RFC 9110 9.3.6). It carries TLS, so the proxy sees the hub's name and no more. The only
/// credentials it can show are Basic ones (RFC 7617). Errors name the proxy, never what was shown to it.
/// </summary>
internal sealed class HttpProxyTunnel
{
    /// <summary>Most bytes of a proxy's answer before its body, which is not read.</summary>
    public const int MaxAnswerBytes = 16 * 1024;

    /// <summary>Most characters of a proxy's words that an error quotes.</summary>
    private const int MaxQuote = 100;

    private const string LineEnd = "\r\n";

    private readonly NetworkCredential? credentials;

    private HttpProxyTunnel(Uri proxy, NetworkCredential? credentials)
    {
        Proxy = new(proxy.Host, proxy.Port);
        this.credentials = credentials;
    }

    /// <summary>Where to connect.</summary>
    public DnsEndPoint Proxy { get; }

    /// <summary>The way to this host; null = directly.</summary>
    /// <exception cref="NotSupportedException">The proxy is of another kind.</exception>
    public static HttpProxyTunnel? To(IWebProxy proxies, DnsEndPoint target)
    {
        var destination = new UriBuilder("https", target.Host, target.Port).Uri;
        if (proxies.IsBypassed(destination) || proxies.GetProxy(destination) is not { } proxy || proxy == destination)
        {
            return null;
        }
        return proxy.Scheme == Uri.UriSchemeHttp
            ? new(proxy, CredentialsOf(proxies, proxy))
            : throw new NotSupportedException(
                $"The proxy {proxy.Host}:{proxy.Port} is of the kind '{proxy.Scheme}'; only 'http' is known."
            );
    }

    /// <summary>Opens the tunnel. Takes not one byte that comes behind the proxy's answer.</summary>
    /// <exception cref="IOException">The proxy refused, or what answers is none.</exception>
    public async ValueTask OpenAsync(Stream stream, DnsEndPoint target, CancellationToken cancellationToken)
    {
        var host = target.Host.Contains(':', StringComparison.Ordinal) ? $"[{target.Host}]" : target.Host;
        var authority = string.Create(CultureInfo.InvariantCulture, $"{host}:{target.Port}");
        var request = $"CONNECT {authority} HTTP/1.1{LineEnd}Host: {authority}{LineEnd}{Authorization()}{LineEnd}";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request), cancellationToken);
        await stream.FlushAsync(cancellationToken);
        var answer = await ReadAnswerAsync(stream, cancellationToken);
        var status = StatusOf(answer[0]);
        if (status is >= 200 and < 300)
        {
            return;
        }
        throw new IOException(
            status == (int)HttpStatusCode.ProxyAuthenticationRequired
                ? $"The proxy {Name} wants credentials{(credentials is null ? "" : " other than the given ones")} (407). It takes {Schemes(answer)}; only Basic is known."
                : $"The proxy {Name} refused the tunnel to {authority}: {Quote(answer[0])}."
        );
    }

    private string Name => string.Create(CultureInfo.InvariantCulture, $"{Proxy.Host}:{Proxy.Port}");

    /// <summary>The proxy's own, or those in its address: <c>http://user:password@proxy:3128</c>.</summary>
    private static NetworkCredential? CredentialsOf(IWebProxy proxies, Uri proxy)
    {
        if (proxies.Credentials?.GetCredential(proxy, "Basic") is { UserName.Length: > 0 } given)
        {
            return given;
        }
        var parts = proxy.UserInfo.Split(':', 2);
        return parts[0].Length == 0
            ? null
            : new(Uri.UnescapeDataString(parts[0]), Uri.UnescapeDataString(parts.ElementAtOrDefault(1) ?? ""));
    }

    private string Authorization()
    {
        if (credentials is null)
        {
            return "";
        }
        var pair = Encoding.UTF8.GetBytes($"{credentials.UserName}:{credentials.Password}");
        return $"Proxy-Authorization: Basic {Convert.ToBase64String(pair)}{LineEnd}";
    }

    /// <summary>The lines up to the empty one. Byte by byte: what follows belongs to the hub.</summary>
    private async ValueTask<string[]> ReadAnswerAsync(Stream stream, CancellationToken cancellationToken)
    {
        var answer = new byte[MaxAnswerBytes];
        for (var count = 0; count < MaxAnswerBytes; )
        {
            if (await stream.ReadAsync(answer.AsMemory(count, 1), cancellationToken) == 0)
            {
                throw new IOException($"The proxy {Name} closed the connection without an answer.");
            }
            count++;
            if (answer.AsSpan(0, count).EndsWith("\r\n\r\n"u8))
            {
                return Encoding.ASCII.GetString(answer, 0, count).Split(LineEnd);
            }
        }
        throw new IOException($"The answer of the proxy {Name} is over {MaxAnswerBytes} bytes.");
    }

    private int StatusOf(string line) =>
        line.StartsWith("HTTP/1.", StringComparison.Ordinal)
        && line.Split(' ') is [_, { Length: 3 } status, ..]
        && int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            ? code
            : throw new IOException($"What answers at {Name} is no HTTP proxy.");

    private static string Schemes(string[] answer)
    {
        const string Header = "Proxy-Authenticate:";
        var schemes = answer
            .Where(line => line.StartsWith(Header, StringComparison.OrdinalIgnoreCase))
            .Select(line => line[Header.Length..].Trim().Split(' ')[0]);
        return Quote(string.Join(", ", schemes)) is { Length: > 0 } told ? told : "none that it tells";
    }

    private static string Quote(string text) =>
        string.Concat(text.Take(MaxQuote).Select(c => char.IsAscii(c) && !char.IsControl(c) ? c : '?'));
}
