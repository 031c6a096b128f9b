using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace EdgeDm.Hub.Internal;

/// <summary>TLS of one connection: the caller's settings, completed; never changed, for they may be shared.</summary>
internal sealed class HubTls
{
    private readonly SslClientAuthenticationOptions settings;
    private string? untimely;

    public HubTls(HubSessionOptions options, string host)
    {
        settings = options.Tls is { } given
            ? Copy(given)
            : new() { EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13 };
        settings.TargetHost ??= host;
        settings.ClientCertificateContext ??= options.Credential?.ClientCertificate;
        if (options.TrustedRoots is { } roots)
        {
            settings.CertificateChainPolicy = Trusting(roots);
        }
        var inner = settings.RemoteCertificateValidationCallback;
        settings.RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
        {
            untimely = Untimely(certificate, options.TimeProvider.GetUtcNow());
            return inner?.Invoke(sender, certificate, chain, errors) ?? errors == SslPolicyErrors.None;
        };
    }

    /// <summary>True when these settings prove an identity.</summary>
    public static bool HasClientCertificate(SslClientAuthenticationOptions? tls) =>
        tls
            is { ClientCertificateContext: not null }
                or { ClientCertificates.Count: > 0 }
                or { LocalCertificateSelectionCallback: not null };

    /// <summary>True when these settings say themselves whom to trust.</summary>
    public static bool HasTrust(SslClientAuthenticationOptions? tls) =>
        tls is { CertificateChainPolicy: not null } or { RemoteCertificateValidationCallback: not null };

    /// <summary>Lays TLS over the stream, which is closed when that fails.</summary>
    public async ValueTask<Stream> AuthenticateAsync(Stream inner, CancellationToken cancellationToken)
    {
        var tls = new SslStream(inner, leaveInnerStreamOpen: false);
        try
        {
            await tls.AuthenticateAsClientAsync(settings, cancellationToken);
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

    /// <summary>Every setting. The platform has no copy of its own; a test compares all properties.</summary>
    internal static SslClientAuthenticationOptions Copy(SslClientAuthenticationOptions given)
    {
        var copy = new SslClientAuthenticationOptions
        {
            AllowRenegotiation = given.AllowRenegotiation,
            AllowTlsResume = given.AllowTlsResume,
            ApplicationProtocols = given.ApplicationProtocols is { } protocols ? [.. protocols] : null,
            CertificateChainPolicy = given.CertificateChainPolicy?.Clone(),
            CertificateRevocationCheckMode = given.CertificateRevocationCheckMode,
            CipherSuitesPolicy = given.CipherSuitesPolicy,
            ClientCertificateContext = given.ClientCertificateContext,
            ClientCertificates = given.ClientCertificates is { } certificates ? [.. certificates] : null,
            EnabledSslProtocols = given.EnabledSslProtocols,
            EncryptionPolicy = given.EncryptionPolicy,
            LocalCertificateSelectionCallback = given.LocalCertificateSelectionCallback,
            RemoteCertificateValidationCallback = given.RemoteCertificateValidationCallback,
            TargetHost = given.TargetHost,
        };
        if (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())
        {
            copy.AllowRsaPkcs1Padding = given.AllowRsaPkcs1Padding;
            copy.AllowRsaPssPadding = given.AllowRsaPssPadding;
        }
        return copy;
    }

    private static X509ChainPolicy Trusting(X509Certificate2Collection roots)
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
        return policy;
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
}
