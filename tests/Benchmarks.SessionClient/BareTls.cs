using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace EdgeDm.Benchmarks.SessionClient;

/// <summary>A TLS connection: with nothing on it, what TLS costs a program by itself.</summary>
internal sealed class BareTls : IAsyncDisposable
{
    private BareTls(SslStream stream) => Stream = stream;

    /// <summary>The stream.</summary>
    public SslStream Stream { get; }

    /// <summary>Connects, with the same trust as a session.</summary>
    public static async Task<BareTls> ConnectAsync(string host, int port, X509Certificate2Collection roots)
    {
        var client = new TcpClient();
        await client.ConnectAsync(host, port);
        var secured = new SslStream(client.GetStream());
        await secured.AuthenticateAsClientAsync(OptionsOf(host, roots));
        return new(secured);
    }

    /// <summary>Trust in these roots alone, whose lists of revoked certificates nobody asks for.</summary>
    public static SslClientAuthenticationOptions OptionsOf(string host, X509Certificate2Collection roots)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(roots);
        return new() { TargetHost = host, CertificateChainPolicy = policy };
    }

    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}
