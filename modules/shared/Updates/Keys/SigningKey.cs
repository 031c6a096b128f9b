using System.Security.Cryptography;
using EdgeDm.Contracts;

namespace EdgeDm.Updates;

/// <summary>A key that signs manifests, with the root's word for it (<see cref="Sjwk"/>).</summary>
public sealed class SigningKey : IDisposable
{
    private const int DigitsOfKeyId = 12;
    private const string NoSigningKey = "The sjwk file holds no signing key that a root issued.";

    private SigningKey(RSA rsa, string sjwk)
    {
        Rsa = rsa;
        Sjwk = sjwk;
    }

    /// <summary>The public part as a JWS signed by the root key; travels in every signature.</summary>
    public string Sjwk { get; }

    /// <summary>Made from the key itself, for example <c>EDGEDM.3f0a9c1d2b4e.S</c>.</summary>
    public string KeyId => KeyIdOf(Rsa, "S");

    /// <summary>How a revocation list names this key.</summary>
    public string Fingerprint => RsaPublicJwk.FingerprintOf(Rsa);

    internal RSA Rsa { get; }

    /// <summary>A new RSA key of 3,072 bits, issued by <paramref name="root"/>.</summary>
    public static SigningKey Generate(RootKey root)
    {
        var rsa = RSA.Create(KeyPem.Bits);
        return new(rsa, root.Issue(rsa));
    }

    /// <summary>
    /// Reads what <see cref="ToPem"/> wrote and the root's word for it. Throws <see cref="UnusableKeyException"/> when the two
    /// do not belong together: no host would take such a signature.
    /// </summary>
    public static SigningKey FromPem(string pem, string? passphrase, string sjwk)
    {
        var text = sjwk.Trim();
        var rsa = KeyPem.Read(pem, passphrase);
        try
        {
            if (ReadIssued(text).Fingerprint == RsaPublicJwk.FingerprintOf(rsa))
            {
                return new(rsa, text);
            }
        }
        catch (EdgeDmException error)
        {
            rsa.Dispose();
            throw new UnusableKeyException(NoSigningKey, error);
        }
        rsa.Dispose();
        throw new UnusableKeyException("The sjwk was issued for another signing key.");
    }

    /// <summary>How a revocation list names the signing key that this <c>sjwk</c> is about; the root's word is not checked.</summary>
    /// <exception cref="UnusableKeyException">It is none.</exception>
    public static string FingerprintOf(string sjwk)
    {
        try
        {
            return ReadIssued(sjwk.Trim()).Fingerprint;
        }
        catch (EdgeDmException error)
        {
            throw new UnusableKeyException(NoSigningKey, error);
        }
    }

    /// <summary>PKCS#8, encrypted with the passphrase; in the clear when it is null.</summary>
    public string ToPem(string? passphrase) => KeyPem.Write(Rsa, passphrase);

    /// <inheritdoc/>
    public void Dispose() => Rsa.Dispose();

    private static RsaPublicJwk ReadIssued(string sjwk) =>
        RsaPublicJwk.Read(
            StrictJson.ParseObject(CompactJws.Parse(sjwk, "sjwk").Payload, ErrorRegistry.SignatureMalformed, "sjwk")
        );

    internal static string KeyIdOf(RSA key, string suffix) =>
        $"EDGEDM.{Convert.ToHexStringLower(SHA256.HashData(key.ExportRSAPublicKey()))[..DigitsOfKeyId]}.{suffix}";
}
