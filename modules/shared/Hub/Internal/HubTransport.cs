using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace EdgeDm.Hub.Internal;

/// <summary>TCP and TLS to the hub.</summary>
internal static class HubTransport
{
    /// <summary>A connected, authenticated stream, or an exception and nothing left open.</summary>
    public static async ValueTask<Stream> ConnectAsync(HubSessionOptions options, CancellationToken cancellationToken)
    {
        var endpoint = new DnsEndPoint(options.TargetHost, options.Port);
        var inner = options.ConnectCallback is { } callback
            ? await callback(endpoint, cancellationToken)
            : await ConnectTcpAsync(endpoint, cancellationToken);
        var tls = new SslStream(inner, leaveInnerStreamOpen: false);
        try
        {
            await tls.AuthenticateAsClientAsync(TlsOptions(options), cancellationToken);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    private static async ValueTask<Stream> ConnectTcpAsync(DnsEndPoint endpoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            await socket.ConnectAsync(endpoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static SslClientAuthenticationOptions TlsOptions(HubSessionOptions options)
    {
        var tls = new SslClientAuthenticationOptions
        {
            TargetHost = options.TargetHost,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        };
        if (options.TrustedRoots is { } roots)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                // A gateway's own authority publishes no revocation list, and a gateway may be offline.
                RevocationMode = X509RevocationMode.NoCheck,
                DisableCertificateDownloads = true,
            };
            policy.CustomTrustStore.AddRange(roots);
            policy.ExtraStore.AddRange(roots); // A bundle may hold intermediates as well.
            tls.CertificateChainPolicy = policy;
        }
        return tls;
    }
}
