using System.Globalization;
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
        string? untimely = null;
        try
        {
            var tlsOptions = TlsOptions(options);
            tlsOptions.RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
            {
                untimely = Untimely(certificate, options.TimeProvider.GetUtcNow());
                return errors == SslPolicyErrors.None;
            };
            await tls.AuthenticateAsClientAsync(tlsOptions, cancellationToken);
            return tls;
        }
        catch (AuthenticationException error) when (untimely is not null)
        {
            await tls.DisposeAsync();
            throw new AuthenticationException(untimely, error);
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

    /// <summary>What to tell when the certificate and this clock do not go together: most often it is the clock that is wrong.</summary>
    private static string? Untimely(X509Certificate? certificate, DateTimeOffset now) =>
        certificate is X509Certificate2 given
        && (now.UtcDateTime < given.NotBefore.ToUniversalTime() || now.UtcDateTime > given.NotAfter.ToUniversalTime())
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"The hub's certificate holds from {given.NotBefore.ToUniversalTime():u} to {given.NotAfter.ToUniversalTime():u}, and this clock says {now:u}. Set the clock, or renew the certificate."
            )
            : null;

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
