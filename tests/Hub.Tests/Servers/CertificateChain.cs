using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeDm.Hub.Tests.Servers;

/// <summary>A certificate behind an intermediate authority.</summary>
internal sealed record CertificateChain(X509Certificate2 Intermediate, X509Certificate2 Leaf) : IDisposable
{
    public static CertificateChain Make()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var root = Authority("CN=chain root", rootKey)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(1));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var bare = Issue(Authority("CN=chain intermediate", key), root);
        var intermediate = bare.CopyWithPrivateKey(key);
        using var leafKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var leaf = Issue(new("CN=chained", leafKey, HashAlgorithmName.SHA256), intermediate);
        return new(intermediate, leaf.CopyWithPrivateKey(leafKey));
    }

    public void Dispose()
    {
        Intermediate.Dispose();
        Leaf.Dispose();
    }

    private static CertificateRequest Authority(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request;
    }

    private static X509Certificate2 Issue(CertificateRequest request, X509Certificate2 issuer) =>
        request.Create(
            issuer,
            DateTimeOffset.UtcNow.AddHours(-1),
            DateTimeOffset.UtcNow.AddDays(1),
            RandomNumberGenerator.GetBytes(8)
        );
}
