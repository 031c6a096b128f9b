using System.Security.Cryptography;
using EdgeDm.Contracts;

namespace EdgeDm.Updates;

/// <summary>
/// Device Update's signature over a manifest's exact bytes: a JWS whose payload is their SHA-256 and whose header carries the
/// signing key, itself a JWS (<c>sjwk</c>) that a root key signed.
/// </summary>
public static class ManifestSignature
{
    /// <summary>Most characters of a signature. With keys of 4,096 bits one has about 3,500.</summary>
    public const int MaxJwsLength = 16 * 1024;

    private const string Signature = "updateManifestSignature";
    private const string SigningKeyJws = "sjwk";
    private const int Sha256Bytes = 32;

    /// <summary>Signs the exact bytes.</summary>
    public static string Sign(ReadOnlySpan<byte> manifest, SigningKey key) =>
        // Base64 and JWS texts have nothing to escape.
        CompactJws.Sign(
            $$"""{"alg":"{{CompactJws.Algorithm}}","sjwk":"{{key.Sjwk}}"}""",
            $$"""{"sha256":"{{Convert.ToBase64String(SHA256.HashData(manifest))}}"}""",
            key.Rsa
        );

    /// <summary>
    /// Returns who signed, or throws: <c>signatureMalformed</c>, <c>signatureAlgorithm</c>, <c>unknownRoot</c>,
    /// <c>keyRevoked</c>, <c>signatureInvalid</c>, <c>manifestTampered</c>. A key is used only after it was proved.
    /// </summary>
    /// <param name="manifest">The exact bytes that were deployed.</param>
    /// <param name="jws"><c>updateManifestSignature</c>.</param>
    /// <param name="roots">The host's trust.</param>
    public static ManifestSigner Verify(ReadOnlySpan<byte> manifest, string jws, TrustedRoots roots)
    {
        var outer = CompactJws.Parse(jws, Signature);
        var sjwk = CompactJws.Parse(outer.Header.Required(SigningKeyJws).Text(MaxJwsLength), SigningKeyJws);
        var root = roots.Find(sjwk.Header.Required("kid").Text(ManifestLimits.MaxNameLength));
        sjwk.Verify(root, SigningKeyJws);
        var signer = RsaPublicJwk.Read(
            StrictJson.ParseObject(sjwk.Payload, ErrorRegistry.SignatureMalformed, SigningKeyJws)
        );
        roots.RequireNotRevoked(signer);
        outer.Verify(signer, Signature);
        var digest = StrictJson
            .ParseObject(outer.Payload, ErrorRegistry.SignatureMalformed, Signature)
            .Required("sha256");
        var expected =
            Base64Text.Decode(digest.Text(ManifestLimits.MaxNameLength), Sha256Bytes)
            ?? throw digest.Wrong("It must be a SHA-256 digest in base64.");
        if (!SHA256.HashData(manifest).AsSpan().SequenceEqual(expected))
        {
            throw ErrorRegistry.ManifestTampered.Exception(
                Subsystems.Updates,
                "updateManifest",
                "The manifest's bytes are not those that were signed."
            );
        }
        return new(root.KeyId, signer.KeyId);
    }
}

/// <summary>Whose signature it is.</summary>
/// <param name="RootKeyId">The trusted root.</param>
/// <param name="SigningKeyId">The key that the root issued.</param>
public sealed record ManifestSigner(string RootKeyId, string SigningKeyId);
