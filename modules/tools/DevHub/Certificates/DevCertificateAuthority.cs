using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Certificates;

/// <summary>
/// The dev hub's own certificate authority: a root made at first start, and what it signs. It lives in one folder
/// (0700, keys 0600) and is never put into a system's or a user's certificate store: clients are given
/// <see cref="TrustBundleFile"/>.
/// </summary>
public sealed partial class DevCertificateAuthority : IDisposable
{
    /// <summary>
    /// Life of the root certificate, before and after it is made: a developer sets the clock by years, forth and back, to see what a
    /// gateway does.
    /// </summary>
    public static readonly TimeSpan RootLifetime = TimeSpan.FromDays(7305);

    /// <summary>The same of the server certificate.</summary>
    public static readonly TimeSpan ServerLifetime = TimeSpan.FromDays(5479);

    /// <summary>The longest life of any certificate that is issued.</summary>
    public static readonly TimeSpan LongestLeafLifetime = TimeSpan.FromDays(365);

    /// <summary>A certificate with less life than this is made anew at start.</summary>
    public static readonly TimeSpan RenewBefore = TimeSpan.FromDays(30);

    /// <summary>Issued certificates begin this much in the past: a gateway's clock may be behind the developer's.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromHours(1);

    private const int RsaKeyBits = 2048;
    private const string RootName = "root";
    private const string ServerName = "server";

    private readonly string folder;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly X509Certificate2 root;

    private DevCertificateAuthority(string folder, ServerNames names, TimeProvider time, ILogger logger)
    {
        this.folder = folder;
        this.time = time;
        this.logger = logger;
        root = OpenRoot();
        TrustBundlePem = root.ExportCertificatePem() + "\n";
        ServerCertificate = OpenServer(names);
    }

    /// <summary>The root in PEM, ending with a newline: what a client must trust, and all of it.</summary>
    public string TrustBundlePem { get; }

    /// <summary>A file that holds <see cref="TrustBundlePem"/>.</summary>
    public string TrustBundleFile => CertificateFile(RootName);

    /// <summary>The server's certificate with its private key. It is signed by the root itself; there is no intermediate.</summary>
    public X509Certificate2 ServerCertificate { get; }

    /// <summary>Opens the authority, and makes or renews what is missing, near its end, or made for other names.</summary>
    /// <param name="folder">The authority's own folder; made when missing.</param>
    /// <param name="names">The server's names.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told what was made, and why.</param>
    public static DevCertificateAuthority Open(string folder, ServerNames names, TimeProvider time, ILogger logger)
    {
        PrivateFolder.Create(folder);
        return new(Path.GetFullPath(folder), names, time, logger);
    }

    /// <summary>Issues a certificate for a TLS server, for example for a module that asks by the workload API.</summary>
    /// <param name="commonName">The subject; also a subject alternative name.</param>
    /// <param name="names">More subject alternative names: DNS names or IP addresses.</param>
    /// <param name="expiration">Wished end; cut to <see cref="LongestLeafLifetime"/> and to the root's life. Null = the longest.</param>
    public IssuedCertificate IssueServerCertificate(
        string commonName,
        IEnumerable<string>? names = null,
        DateTimeOffset? expiration = null
    ) => Issue(LeafRequest.ForServer(commonName, new ServerNames([commonName, .. names ?? []])), expiration);

    /// <summary>Issues a certificate for a TLS client.</summary>
    /// <param name="commonName">The subject.</param>
    /// <param name="identity">A URI subject alternative name.</param>
    /// <param name="expiration">As with <see cref="IssueServerCertificate"/>.</param>
    public IssuedCertificate IssueClientCertificate(
        string commonName,
        Uri identity,
        DateTimeOffset? expiration = null
    ) => Issue(LeafRequest.ForClient(commonName, identity), expiration);

    /// <inheritdoc/>
    public void Dispose()
    {
        ServerCertificate.Dispose();
        root.Dispose();
    }

    private X509Certificate2 OpenRoot()
    {
        if (Load(RootName) is { } found)
        {
            if (!EndsSoon(found))
            {
                return found;
            }
            LogRenewed(logger, RootName, "its end is near");
            found.Dispose();
        }
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(
            $"CN=EdgeDm dev hub root {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}",
            key,
            HashAlgorithmName.SHA256
        );
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true)
        );
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        var now = time.GetUtcNow();
        var made = request.CreateSelfSigned(now - RootLifetime, now + RootLifetime);
        Save(RootName, made);
        LogMade(logger, folder);
        return made;
    }

    private X509Certificate2 OpenServer(ServerNames names)
    {
        if (Load(ServerName) is { } found)
        {
            var why =
                EndsSoon(found) ? "its end is near"
                : !IsSignedByRoot(found) ? "the root is another one"
                : !names.SetEquals(ServerNames.Of(found)) ? "the names changed"
                : null;
            if (why is null)
            {
                return found;
            }
            LogRenewed(logger, ServerName, why);
            found.Dispose();
        }
        var now = time.GetUtcNow();
        var made = Sign(
            LeafRequest.ForServer("EdgeDm dev hub", names),
            BeginOf(root, now - ServerLifetime),
            Earliest(now + ServerLifetime, EndOf(root))
        );
        Save(ServerName, made);
        return made;
    }

    // With an RSA key: edgeHub and modules made with its library read no other (Azure/iotedge, CertificateHelper).
    private IssuedCertificate Issue(LeafRequest leaf, DateTimeOffset? expiration)
    {
        var now = time.GetUtcNow();
        var end = Earliest(expiration ?? DateTimeOffset.MaxValue, now + LongestLeafLifetime, EndOf(root));
        if (end <= now)
        {
            throw new ArgumentOutOfRangeException(nameof(expiration), $"The expiration {end:o} is in the past.");
        }
        using var key = RSA.Create(RsaKeyBits);
        using var rootKey = root.GetECDsaPrivateKey()!;
        using var certificate = leaf.Request(key, root)
            .Create(
                root.SubjectName,
                X509SignatureGenerator.CreateForECDsa(rootKey),
                Earliest(now - ClockSkew, end),
                end,
                NewSerial()
            );
        return new(
            certificate.ExportCertificatePem() + "\n" + TrustBundlePem,
            key.ExportPkcs8PrivateKeyPem() + "\n",
            EndOf(certificate)
        );
    }

    private X509Certificate2 Sign(LeafRequest leaf, DateTimeOffset begin, DateTimeOffset end)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signed = leaf.Request(key, root).Create(root, begin, end, NewSerial());
        return signed.CopyWithPrivateKey(key);
    }

    private static byte[] NewSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x01); // RFC 5280 4.1.2.2: positive; the encoding keeps its length.
        return serial;
    }

    private bool IsSignedByRoot(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.VerificationTime = time.GetUtcNow().UtcDateTime;
        return chain.Build(certificate);
    }

    private bool EndsSoon(X509Certificate2 certificate) => EndOf(certificate) < time.GetUtcNow() + RenewBefore;

    /// <summary>A certificate begins with its issuer at the earliest.</summary>
    private static DateTimeOffset BeginOf(X509Certificate2 issuer, DateTimeOffset wished) =>
        Utc(issuer.NotBefore) is var first && first > wished ? first : wished;

    private static DateTimeOffset EndOf(X509Certificate2 certificate) => Utc(certificate.NotAfter);

    private static DateTimeOffset Utc(DateTime local) => new(local.ToUniversalTime());

    private X509Certificate2? Load(string name)
    {
        if (!File.Exists(CertificateFile(name)) || !File.Exists(KeyFile(name)))
        {
            return null;
        }
        try
        {
            // A key that was readable for others for a while is worth no more than a new one, but a restored backup is common.
            File.SetUnixFileMode(KeyFile(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            return X509Certificate2.CreateFromPemFile(CertificateFile(name), KeyFile(name));
        }
        catch (CryptographicException error)
        {
            LogUnreadable(logger, name, folder, error.Message);
            return null;
        }
    }

    private void Save(string name, X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        // The certificate goes last: a key without its certificate is made anew at the next start, and so is a wrong pair.
        AtomicFile.Write(
            KeyFile(name),
            Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"),
            failpoint: null
        );
        AtomicFile.Write(
            CertificateFile(name),
            Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + "\n"),
            failpoint: null,
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead
        );
    }

    private string CertificateFile(string name) => Path.Combine(folder, name + ".pem");

    private string KeyFile(string name) => Path.Combine(folder, name + ".key.pem");

    private static DateTimeOffset Earliest(params ReadOnlySpan<DateTimeOffset> times)
    {
        var earliest = times[0];
        foreach (var candidate in times)
        {
            earliest = candidate < earliest ? candidate : earliest;
        }
        return earliest;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Made a certificate authority for development in {Folder}")]
    private static partial void LogMade(ILogger logger, string folder);

    [LoggerMessage(Level = LogLevel.Information, Message = "Renews the {Name} certificate: {Why}")]
    private static partial void LogRenewed(ILogger logger, string name, string why);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The {Name} certificate or its key in {Folder} cannot be read and is made anew: {Reason}"
    )]
    private static partial void LogUnreadable(ILogger logger, string name, string folder, string reason);
}

/// <summary>A certificate as it is handed out.</summary>
/// <param name="CertificatePem">The certificate, then the root.</param>
/// <param name="PrivateKeyPem">PKCS#8. A secret.</param>
/// <param name="Expiration">UTC.</param>
public sealed record IssuedCertificate(string CertificatePem, string PrivateKeyPem, DateTimeOffset Expiration);
