using System.Security.Cryptography;

namespace EdgeDm.Updates;

/// <summary>A key file cannot be used; the message says why and what to do. Concerns who signs, never a device.</summary>
public sealed class UnusableKeyException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Private keys as PKCS#8 PEM, encrypted unless told otherwise.</summary>
internal static class KeyPem
{
    /// <summary>Bits of the keys that are made here, as Device Update's root keys.</summary>
    public const int Bits = 3072;

    private const string EncryptedLabel = "ENCRYPTED PRIVATE KEY";

    // OWASP's figure for PBKDF2 with SHA-256: about a third of a second per guess.
    private static readonly PbeParameters Encryption = new(
        PbeEncryptionAlgorithm.Aes256Cbc,
        HashAlgorithmName.SHA256,
        600_000
    );

    /// <summary>With a null passphrase the key is written in the clear.</summary>
    public static string Write(RSA key, string? passphrase) =>
        (
            passphrase is null
                ? key.ExportPkcs8PrivateKeyPem()
                : key.ExportEncryptedPkcs8PrivateKeyPem(passphrase, Encryption)
        ) + "\n";

    public static RSA Read(string pem, string? passphrase)
    {
        var encrypted = pem.Contains($"BEGIN {EncryptedLabel}", StringComparison.Ordinal);
        if (encrypted && passphrase is null)
        {
            throw new UnusableKeyException("The private key is encrypted and no passphrase was given.");
        }
        var rsa = RSA.Create();
        try
        {
            if (encrypted)
            {
                rsa.ImportFromEncryptedPem(pem, passphrase);
            }
            else
            {
                rsa.ImportFromPem(pem);
            }
            if (rsa.KeySize is < RsaPublicJwk.FewestBits or > RsaPublicJwk.MostBits)
            {
                throw new UnusableKeyException(
                    $"The key has {rsa.KeySize} bits; {RsaPublicJwk.FewestBits} to {RsaPublicJwk.MostBits} are allowed."
                );
            }
            _ = rsa.ExportParameters(includePrivateParameters: true); // A public key would fail only when it signs.
            return rsa;
        }
        catch (Exception error)
        {
            rsa.Dispose();
            throw error is ArgumentException or CryptographicException
                ? new UnusableKeyException(
                    encrypted
                        ? "The private key cannot be decrypted: wrong passphrase, or a damaged file."
                        : "The file holds no RSA private key as PEM.",
                    error
                )
                : error;
        }
    }
}
