using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using EdgeDm.Contracts;

namespace EdgeDm.Updates;

/// <summary>From a root list's bytes to <see cref="RootList"/>. Members that are not known are ignored, as Device Update's agent does.</summary>
internal static class RootListParser
{
    /// <summary>What errors name.</summary>
    public const string Context = "rootList";

    /// <summary>The only hash of disabled signing keys.</summary>
    public const string HashAlgorithm = "SHA256";

    private const string KeyType = "RSA";
    private const int LongestText = 1024;
    private const long LastSecond = 253_402_300_799; // Of the year 9999.

    public static RootList Parse(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > RootList.MaxBytes)
        {
            throw ErrorRegistry.TooLarge.Exception(
                Subsystems.Updates,
                Context,
                $"The root list has {utf8.Length} bytes; at most {RootList.MaxBytes} are read.",
                ("limit", $"{RootList.MaxBytes}")
            );
        }
        var document = StrictJson.ParseObject(utf8, ErrorRegistry.RootListMalformed, Context);
        var content = document.Required("protected").Object();
        var version = content.Required("version");
        if (version.WholeNumber(long.MaxValue) == 0)
        {
            throw version.Wrong("Versions begin with 1.");
        }
        var trust = TrustedRoots.Of(
            content.Required("rootKeys").Members(TrustedRoots.MaxRoots).Select(key => ReadKey(key.Name, key.Value)),
            content
                .Required("disabledRootKeys")
                .Items(RootList.MaxDisabledKeys)
                .Select(key => key.Text(ManifestLimits.MaxNameLength)),
            content.Required("disabledSigningKeys").Items(RootList.MaxDisabledKeys).Select(ReadFingerprint)
        );
        if (trust.Usable.Length == 0)
        {
            throw content
                .Required("rootKeys")
                .Wrong("No key is left that is not disabled; no later list could follow.");
        }
        return new(
            version.WholeNumber(long.MaxValue),
            DateTimeOffset.FromUnixTimeSeconds(content.Required("published").WholeNumber(LastSecond)),
            trust,
            Compact(content.Element.GetRawText()),
            [.. document.Required("signatures").Items(RootList.MaxSignatures).Select(ReadSignature)]
        );
    }

    private static RsaPublicJwk ReadKey(string keyId, StrictNode node)
    {
        if (keyId.Length is 0 or > ManifestLimits.MaxNameLength)
        {
            throw node.Wrong($"A key id has 1 to {ManifestLimits.MaxNameLength} characters.");
        }
        var keyType = node.Required("keyType");
        if (keyType.Text(LongestText) != KeyType)
        {
            throw keyType.Wrong($"It must be {KeyType}.");
        }
        var exponent = node.Required("e");
        if (exponent.WholeNumber(int.MaxValue) != RsaPublicJwk.ExponentNumber)
        {
            throw exponent.Wrong($"It must be {RsaPublicJwk.ExponentNumber}.");
        }
        return RsaPublicJwk.Of(keyId, node.Required("n"));
    }

    /// <summary>In the one spelling that fingerprints of keys are compared in.</summary>
    private static string ReadFingerprint(StrictNode node)
    {
        var algorithm = node.Required("alg");
        if (!algorithm.Text(LongestText).Equals(HashAlgorithm, StringComparison.OrdinalIgnoreCase))
        {
            throw algorithm.Wrong($"It must be {HashAlgorithm}.");
        }
        var hash = node.Required("hash");
        return
            Base64Text.Decode(hash.Text(LongestText), SHA256.HashSizeInBytes)
                is { Length: SHA256.HashSizeInBytes } bytes
            ? Base64Url.EncodeToString(bytes)
            : throw hash.Wrong("It must be a SHA-256 digest in base64url.");
    }

    private static byte[] ReadSignature(StrictNode node)
    {
        CompactJws.RequireRs256(node.Required("alg"), Context);
        var signature = node.Required("sig");
        return Base64Text.Decode(signature.Text(LongestText), RsaPublicJwk.MostBits / 8)
            ?? throw signature.Wrong("It is not base64url, or too long.");
    }

    /// <summary>JSON without the white space between its values; nothing else changes, neither order nor escapes.</summary>
    private static byte[] Compact(string json)
    {
        var text = new StringBuilder(json.Length);
        var inString = false;
        for (var i = 0; i < json.Length; i++)
        {
            var c = json[i];
            if (inString && c == '\\')
            {
                text.Append(c).Append(json[++i]);
                continue;
            }
            if (c == '"')
            {
                inString = !inString;
            }
            if (inString || c is not (' ' or '\t' or '\r' or '\n'))
            {
                text.Append(c);
            }
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
