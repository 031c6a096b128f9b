using System.Buffers.Text;
using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;

namespace EdgeDm.Updates;

/// <summary>An RSA public key as JWK, with the bounds that a manifest's keys have.</summary>
/// <param name="KeyId">Its <c>kid</c>.</param>
/// <param name="Parameters">Modulus and exponent.</param>
internal sealed record RsaPublicJwk(string KeyId, RSAParameters Parameters)
{
    public const int FewestBits = 2048;
    public const int MostBits = 4096;

    /// <summary>The one exponent that is taken.</summary>
    public const int ExponentNumber = 65537;

    private const string Exponent = "AQAB";
    private const int LongestText = 1024;

    /// <summary>
    /// Reads a JWK. <c>n</c> may be in the standard alphabet: Device Update's own data is; <c>e</c> must be exactly 65537.
    /// </summary>
    public static RsaPublicJwk Read(StrictNode node)
    {
        if (node.Required("kty").Text(LongestText) != "RSA")
        {
            throw node.Required("kty").Wrong("It must be RSA.");
        }
        if (node.Optional("d") is not null)
        {
            throw node.Wrong("It holds a private key; only the public part belongs here.");
        }
        if (node.Optional("alg") is { } algorithm)
        {
            CompactJws.RequireRs256(algorithm, node.Path);
        }
        if (node.Required("e").Text(LongestText) != Exponent)
        {
            throw node.Required("e").Wrong($"It must be {Exponent}.");
        }
        return Of(node.Required("kid").Text(ManifestLimits.MaxNameLength), node.Required("n"));
    }

    /// <summary>The key of a modulus, which may be in either alphabet of base64.</summary>
    public static RsaPublicJwk Of(string keyId, StrictNode modulusNode)
    {
        var modulus = (
            Base64Text.Decode(modulusNode.Text(LongestText), MostBits / 8 + 1)
            ?? throw modulusNode.Wrong("It is not base64.")
        )
            .AsSpan()
            .TrimStart((byte)0)
            .ToArray();
        var bits = modulus.Length == 0 ? 0 : modulus.Length * 8 - (BitOperations.LeadingZeroCount(modulus[0]) - 24);
        if (bits is < FewestBits or > MostBits || (modulus[^1] & 1) == 0)
        {
            throw modulusNode.Wrong($"It must be an RSA modulus of {FewestBits} to {MostBits} bits; it has {bits}.");
        }
        return new(keyId, new() { Modulus = modulus, Exponent = [1, 0, 1] });
    }

    /// <summary>The JWK's JSON. The key id comes from the key itself, so that it has one name wherever it is loaded.</summary>
    public static string Write(RSA key, string keyId) =>
        new RsaPublicJwk(keyId, key.ExportParameters(includePrivateParameters: false)).Write();

    /// <summary>The JWK's JSON.</summary>
    public string Write() =>
        // The other values have nothing to escape.
        $$"""{"kty":"RSA","n":"{{Base64Url.EncodeToString(Parameters.Modulus)}}","e":"{{Exponent}}","alg":"{{CompactJws.Algorithm}}","kid":"{{JsonEncodedText.Encode(
            KeyId
        )}}"}""";

    /// <summary>How revocation lists name a key: base64url of SHA-256 over its PKCS#1 RSAPublicKey, as Device Update does.</summary>
    public string Fingerprint
    {
        get
        {
            using var rsa = RSA.Create(Parameters);
            return FingerprintOf(rsa);
        }
    }

    /// <summary>See <see cref="Fingerprint"/>.</summary>
    public static string FingerprintOf(RSA key) => Base64Url.EncodeToString(SHA256.HashData(key.ExportRSAPublicKey()));
}
