using System.Buffers;
using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.Updates;

/// <summary>
/// A signed list of the root keys that hosts shall trust, and of the keys that they shall not. Its form is Device Update's root key
/// package. It takes the place of the list before it as a whole. Reading proves nothing about who made it:
/// <see cref="RequireSignedBy"/> does.
/// </summary>
public sealed class RootList
{
    /// <summary>Most bytes; 32 roots of 4,096 bits with as many signatures and 256 revoked keys fit.</summary>
    public const int MaxBytes = 128 * 1024;

    /// <summary>Most disabled root keys, and most disabled signing keys.</summary>
    public const int MaxDisabledKeys = 256;

    /// <summary>Most signatures.</summary>
    public const int MaxSignatures = TrustedRoots.MaxRoots;

    private readonly byte[] signedBytes;
    private readonly ImmutableArray<byte[]> signatures;

    internal RootList(
        long version,
        DateTimeOffset published,
        TrustedRoots trust,
        byte[] signedBytes,
        ImmutableArray<byte[]> signatures
    )
    {
        Version = version;
        Published = published;
        Trust = trust;
        this.signedBytes = signedBytes;
        this.signatures = signatures;
    }

    /// <summary>1 and above; a host takes a higher one than its own only.</summary>
    public long Version { get; }

    /// <summary>When it was made, UTC. For people: no rule looks at it.</summary>
    public DateTimeOffset Published { get; }

    /// <summary>What a host trusts that has accepted this list.</summary>
    public TrustedRoots Trust { get; }

    /// <summary>Signatures that it carries, good or not.</summary>
    public int SignatureCount => signatures.Length;

    /// <summary>
    /// Reads a list. Throws <c>rootListMalformed</c>, also for one that trusts no key at all, and <c>signatureAlgorithm</c>.
    /// </summary>
    public static RootList Parse(ReadOnlySpan<byte> utf8) => RootListParser.Parse(utf8);

    /// <summary>Makes a list without signatures. Throws <c>rootListMalformed</c> for what no host would read.</summary>
    public static RootList Create(RootListContent content)
    {
        var trust = TrustedRoots.Parse(content.Roots, content.DisabledSigningKeys);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("version", content.Version);
            json.WriteNumber("published", content.Published.ToUnixTimeSeconds());
            json.WriteStartArray("disabledRootKeys");
            foreach (var keyId in content.DisabledRootKeys)
            {
                json.WriteStringValue(keyId);
            }
            json.WriteEndArray();
            json.WriteStartArray("disabledSigningKeys");
            foreach (var fingerprint in content.DisabledSigningKeys)
            {
                json.WriteStartObject();
                json.WriteString("alg", RootListParser.HashAlgorithm);
                json.WriteString("hash", fingerprint);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartObject("rootKeys");
            foreach (var root in trust.Keys)
            {
                json.WriteStartObject(root.KeyId);
                json.WriteString("keyType", "RSA");
                json.WriteString("n", Base64Url.EncodeToString(root.Parameters.Modulus));
                json.WriteNumber("e", RsaPublicJwk.ExponentNumber);
                json.WriteEndObject();
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Parse(Write(buffer.WrittenSpan.ToArray(), []));
    }

    /// <summary>The list with one more signature.</summary>
    public RootList SignedBy(RootKey key) => Parse(Write(signedBytes, [.. signatures, key.Sign(signedBytes)]));

    /// <summary>The list as it is sent to hosts, UTF-8.</summary>
    public byte[] ToBytes() => Write(signedBytes, signatures);

    /// <summary>Key ids of those of <paramref name="roots"/> that signed; a key counts once, whatever its names.</summary>
    public IReadOnlyList<string> SignersAmong(TrustedRoots roots)
    {
        var signers = new List<string>();
        foreach (var root in roots.Usable)
        {
            using var rsa = RSA.Create(root.Parameters);
            if (
                signatures.Any(made =>
                    rsa.VerifyData(signedBytes, made, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
                )
            )
            {
                signers.Add(root.KeyId);
            }
        }
        return signers;
    }

    /// <summary>Throws <c>rootListNotSigned</c> unless enough of the present roots signed.</summary>
    /// <param name="present">What the host trusts now.</param>
    /// <param name="needed">How many; null = all of them.</param>
    public void RequireSignedBy(TrustedRoots present, int? needed)
    {
        var all = present.Usable.Length;
        // A host that trusts nobody would otherwise take a list that nobody signed.
        var least = Math.Max(1, needed ?? all);
        var signers = SignersAmong(present);
        if (signers.Count < least)
        {
            throw ErrorRegistry.RootListNotSigned.Exception(
                Subsystems.Updates,
                RootListParser.Context,
                $"{signers.Count} of this host's {all} present root keys signed the list, and {least} must.",
                ("signed", string.Join(',', signers)),
                ("needed", $"{least}"),
                ("present", $"{all}")
            );
        }
    }

    /// <summary>
    /// Signed are the bytes of <c>protected</c> in their order without white space, as Device Update does, so a document keeps its
    /// signatures however it is indented.
    /// </summary>
    private static byte[] Write(byte[] signedBytes, ImmutableArray<byte[]> signatures)
    {
        var made = signatures.Select(signature =>
            $$"""{"alg":"{{CompactJws.Algorithm}}","sig":"{{Base64Url.EncodeToString(signature)}}"}"""
        );
        return Encoding.UTF8.GetBytes(
            $$"""{"protected":{{Encoding.UTF8.GetString(signedBytes)}},"signatures":[{{string.Join(',', made)}}]}"""
        );
    }
}

/// <summary>What a root list is made from.</summary>
/// <param name="Version">Above that of the list before it.</param>
/// <param name="Published">Written to the second.</param>
/// <param name="Roots">The root keys, JWK texts as in <c>root.jwk.json</c>.</param>
/// <param name="DisabledRootKeys">Key ids.</param>
/// <param name="DisabledSigningKeys">Fingerprints, see <see cref="SigningKey.Fingerprint"/>.</param>
public sealed record RootListContent(
    long Version,
    DateTimeOffset Published,
    ImmutableArray<string> Roots,
    ImmutableArray<string> DisabledRootKeys,
    ImmutableArray<string> DisabledSigningKeys
);
