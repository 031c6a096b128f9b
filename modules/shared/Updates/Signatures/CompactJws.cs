using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using EdgeDm.Contracts;

namespace EdgeDm.Updates;

/// <summary>One compact JWS, <c>header.payload.signature</c> (RFC 7515), RS256 and nothing else.</summary>
internal sealed class CompactJws
{
    public const string Algorithm = "RS256";

    private const int LongestSignature = RsaPublicJwk.MostBits / 8;
    private const int MostAlgorithmCharacters = 64;
    private readonly byte[] signedText;
    private readonly byte[] signature;

    private CompactJws(StrictNode header, byte[] payload, byte[] signedText, byte[] signature)
    {
        Header = header;
        Payload = payload;
        this.signedText = signedText;
        this.signature = signature;
    }

    public StrictNode Header { get; }

    public byte[] Payload { get; }

    /// <summary>Reads the three parts and refuses every algorithm but RS256. Nothing is verified yet.</summary>
    public static CompactJws Parse(string text, string context)
    {
        if (text.Length > ManifestSignature.MaxJwsLength)
        {
            throw Malformed(context, $"It has more than {ManifestSignature.MaxJwsLength} characters.");
        }
        var parts = text.Split('.');
        if (parts.Length != 3)
        {
            throw Malformed(context, "A JWS has three parts, parted by dots.");
        }
        var header = Decode(parts[0], ManifestSignature.MaxJwsLength, context);
        var payload = Decode(parts[1], ManifestSignature.MaxJwsLength, context);
        var made = Decode(parts[2], LongestSignature, context);
        var node = StrictJson.ParseObject(header, ErrorRegistry.SignatureMalformed, context);
        RequireRs256(node.Required("alg"), context);
        if (node.Optional("crit") is not null)
        {
            // RFC 7515, 4.1.11: extensions that must be understood, and none is.
            throw Malformed(context, "Its header demands extensions ('crit').");
        }
        return new(node, payload, Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), made);
    }

    public static string Sign(string header, string payload, RSA key)
    {
        var text =
            $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload))}";
        var made = key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{text}.{Base64Url.EncodeToString(made)}";
    }

    /// <summary>Throws <c>signatureInvalid</c> unless the key made this signature.</summary>
    public void Verify(RsaPublicJwk key, string context)
    {
        using var rsa = RSA.Create(key.Parameters);
        if (!rsa.VerifyData(signedText, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))
        {
            throw ErrorRegistry.SignatureInvalid.Exception(
                Subsystems.Updates,
                context,
                $"The {context} was not made by the key '{key.KeyId}'.",
                ("keyId", key.KeyId)
            );
        }
    }

    /// <summary>Compared without case, as Device Update's agent does.</summary>
    public static void RequireRs256(StrictNode algorithm, string context)
    {
        if (!algorithm.Text(MostAlgorithmCharacters).Equals(Algorithm, StringComparison.OrdinalIgnoreCase))
        {
            throw ErrorRegistry.SignatureAlgorithm.Exception(
                Subsystems.Updates,
                context,
                $"The {context} does not use RS256."
            );
        }
    }

    private static byte[] Decode(string segment, int mostBytes, string context) =>
        Base64Text.DecodeSegment(segment, mostBytes)
        ?? throw Malformed(context, "A part of it is not base64url, or too long.");

    private static EdgeDmException Malformed(string context, string what) =>
        ErrorRegistry.SignatureMalformed.Exception(Subsystems.Updates, context, $"{context}: {what}");
}
