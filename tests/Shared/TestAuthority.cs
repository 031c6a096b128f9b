using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeDm.Testing;

/// <summary>A certificate authority for one test run. Nothing of it touches a store.</summary>
public sealed class TestAuthority
{
    private static readonly Lazy<TestAuthority> Shared = new(() => new("EdgeDm test root"));
    private readonly X509Certificate2 root;
    private readonly TimeSpan begins;

    /// <summary>Makes a root certificate.</summary>
    /// <param name="name">Its subject.</param>
    /// <param name="begins">From when on the certificates hold that it issues, as seen from now; null = since an hour.</param>
    public TestAuthority(string name, TimeSpan? begins = null)
    {
        this.begins = begins ?? TimeSpan.FromHours(-1);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true)
        );
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(1));
        Server = Issue("127.0.0.1", "localhost");
    }

    /// <summary>The one that tests share.</summary>
    public static TestAuthority Default => Shared.Value;

    /// <summary>A server's certificate for 127.0.0.1 and localhost.</summary>
    public X509Certificate2 Server { get; }

    /// <summary>What a client must trust.</summary>
    public X509Certificate2Collection Roots => [X509CertificateLoader.LoadCertificate(root.RawData)];

    /// <summary>The root as PEM, as a trust bundle has it.</summary>
    public string RootPem => root.ExportCertificatePem() + "\n";

    /// <summary>A server's certificate for these names and addresses.</summary>
    public X509Certificate2 Issue(params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                alternatives.AddIpAddress(address);
            }
            else
            {
                alternatives.AddDnsName(name);
            }
        }
        request.CertificateExtensions.Add(alternatives.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        using var certificate = request.Create(
            root,
            DateTimeOffset.UtcNow + begins,
            DateTimeOffset.UtcNow.AddMonths(1),
            RandomNumberGenerator.GetBytes(8)
        );
        return certificate.CopyWithPrivateKey(key);
    }
}
