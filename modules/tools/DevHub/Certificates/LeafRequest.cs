using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeDm.DevHub.Certificates;

/// <summary>What is asked of the authority for one certificate below the root.</summary>
internal sealed class LeafRequest
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private const int LongestCommonName = 64; // RFC 5280, ub-common-name.

    private readonly string commonName;
    private readonly string usage;
    private readonly X509Extension names;

    private LeafRequest(string commonName, string usage, X509Extension names)
    {
        this.commonName = commonName.Length is > 0 and <= LongestCommonName
            ? commonName
            : throw new ArgumentException(
                $"A common name has 1 to {LongestCommonName} characters, '{commonName}' has {commonName.Length}."
            );
        this.usage = usage;
        this.names = names;
    }

    public static LeafRequest ForServer(string commonName, ServerNames names) =>
        new(commonName, ServerAuthentication, names.ToExtension());

    public static LeafRequest ForClient(string commonName, Uri identity)
    {
        var builder = new SubjectAlternativeNameBuilder();
        builder.AddUri(identity);
        return new(commonName, ClientAuthentication, builder.Build());
    }

    public CertificateRequest Request(ECDsa key, X509Certificate2 issuer) =>
        Extended(new(Subject(), key, HashAlgorithmName.SHA256), X509KeyUsageFlags.DigitalSignature, issuer);

    public CertificateRequest Request(RSA key, X509Certificate2 issuer) =>
        Extended(
            new(Subject(), key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyEncipherment,
            issuer
        );

    private X500DistinguishedName Subject()
    {
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(commonName);
        return subject.Build();
    }

    private CertificateRequest Extended(CertificateRequest request, X509KeyUsageFlags keyUsage, X509Certificate2 issuer)
    {
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(keyUsage, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(
                issuer,
                includeKeyIdentifier: true,
                includeIssuerAndSerial: false
            )
        );
        request.CertificateExtensions.Add(names);
        return request;
    }
}
