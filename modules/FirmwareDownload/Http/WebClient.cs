using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeDm.Hosting;

namespace EdgeDm.FirmwareDownload.Http;

/// <summary>Makes the HTTP client: system roots and an extra file of authorities, proxy by environment, no magic.</summary>
internal static class WebClient
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    /// <summary>A new connection at least this often, so that a changed DNS entry is followed.</summary>
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5);

    /// <summary>Makes the client.</summary>
    /// <exception cref="MisconfiguredException">The file of authorities cannot be read.</exception>
    public static HttpMessageInvoker Create(DownloadOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // Each redirect is judged by RangeClient.
            UseCookies = false,
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionLifetime = ConnectionLifetime,
            ActivityHeadersPropagator = null,
        };
        if (options.CaFile is { } file)
        {
            var extra = Load(file);
            handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
                errors == SslPolicyErrors.None || IsTrustedBy(extra, certificate as X509Certificate2, chain, errors);
        }
        return new HttpMessageInvoker(handler);
    }

    private static X509Certificate2Collection Load(string file)
    {
        var extra = new X509Certificate2Collection();
        try
        {
            extra.ImportFromPemFile(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new MisconfiguredException($"EDGEDM_CA_FILE '{file}' cannot be read: {error.Message}");
        }
        return extra.Count > 0
            ? extra
            : throw new MisconfiguredException($"EDGEDM_CA_FILE '{file}' holds no certificate in PEM form.");
    }

    /// <summary>Only an unknown root is mended by the extra authorities; a wrong name or no certificate never is.</summary>
    private static bool IsTrustedBy(
        X509Certificate2Collection extra,
        X509Certificate2? certificate,
        X509Chain? sent,
        SslPolicyErrors errors
    )
    {
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is null)
        {
            return false;
        }
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(extra);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        foreach (var element in sent?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        }
        return chain.Build(certificate);
    }
}
