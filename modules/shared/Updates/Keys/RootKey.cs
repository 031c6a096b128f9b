using System.Security.Cryptography;

namespace EdgeDm.Updates;

/// <summary>
/// A root key. It signs signing keys and root lists and nothing else, so it can stay offline; hosts trust its public part
/// (<see cref="PublicJwk"/>).
/// </summary>
public sealed class RootKey : IDisposable
{
    private readonly RSA rsa;

    private RootKey(RSA rsa) => this.rsa = rsa;

    /// <summary>Made from the key itself, for example <c>EDGEDM.3f0a9c1d2b4e.R</c>.</summary>
    public string KeyId => SigningKey.KeyIdOf(rsa, "R");

    /// <summary>What a host's <c>trustedRoots</c> takes.</summary>
    public string PublicJwk => RsaPublicJwk.Write(rsa, KeyId);

    /// <summary>How a revocation list names this key.</summary>
    public string Fingerprint => RsaPublicJwk.FingerprintOf(rsa);

    /// <summary>A new RSA key of 3,072 bits.</summary>
    public static RootKey Generate() => new(RSA.Create(KeyPem.Bits));

    /// <summary>Reads what <see cref="ToPem"/> writes; throws <see cref="UnusableKeyException"/>.</summary>
    public static RootKey FromPem(string pem, string? passphrase) => new(KeyPem.Read(pem, passphrase));

    /// <summary>PKCS#8, encrypted with the passphrase; in the clear when it is null.</summary>
    public string ToPem(string? passphrase) => KeyPem.Write(rsa, passphrase);

    /// <inheritdoc/>
    public void Dispose() => rsa.Dispose();

    /// <summary>Over a root list's bytes. They open with a brace, which no JWS does, so one can never pass for the other.</summary>
    internal byte[] Sign(ReadOnlySpan<byte> list) =>
        rsa.SignData(list, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);

    internal string Issue(RSA signingKey) =>
        CompactJws.Sign(
            $$"""{"alg":"{{CompactJws.Algorithm}}","kid":"{{KeyId}}"}""",
            RsaPublicJwk.Write(signingKey, SigningKey.KeyIdOf(signingKey, "S")),
            rsa
        );
}
