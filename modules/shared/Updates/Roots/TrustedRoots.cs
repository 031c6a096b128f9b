using System.Collections.Immutable;
using System.Text;
using EdgeDm.Contracts;

namespace EdgeDm.Updates;

/// <summary>The root keys that a host trusts, and the keys that it no longer trusts. Immutable.</summary>
public sealed class TrustedRoots
{
    /// <summary>Most roots; a host has a handful.</summary>
    public const int MaxRoots = 32;

    /// <summary>Most characters of one JWK.</summary>
    public const int MaxJwkLength = 4096;

    private readonly ImmutableSortedDictionary<string, RsaPublicJwk> roots;
    private readonly ImmutableSortedSet<string> disabled;
    private readonly ImmutableSortedSet<string> revoked;
    private ImmutableArray<RsaPublicJwk> usable;

    private TrustedRoots(
        ImmutableSortedDictionary<string, RsaPublicJwk> roots,
        ImmutableSortedSet<string> disabled,
        ImmutableSortedSet<string> revoked
    )
    {
        this.roots = roots;
        this.disabled = disabled;
        this.revoked = revoked;
    }

    /// <summary>Trusts nobody: every signature is refused with <c>unknownRoot</c>.</summary>
    public static TrustedRoots None { get; } = Parse([]);

    /// <summary>Key ids of the roots, in order.</summary>
    public IEnumerable<string> KeyIds => roots.Keys;

    /// <summary>The roots as JWK texts, as <see cref="Parse"/> takes them.</summary>
    public IEnumerable<string> PublicJwks => roots.Values.Select(root => root.Write());

    /// <summary>Key ids of roots that are no longer trusted, in order.</summary>
    public IEnumerable<string> DisabledRootKeys => disabled;

    /// <summary>Fingerprints of signing keys that are no longer trusted, in order.</summary>
    public IEnumerable<string> DisabledSigningKeys => revoked;

    /// <summary>How many different keys are trusted.</summary>
    public int Count => Usable.Length;

    /// <summary>The roots, disabled ones included.</summary>
    internal IEnumerable<RsaPublicJwk> Keys => roots.Values;

    /// <summary>
    /// The roots that are not disabled, each key once. Found when first asked for, and without cryptography while nothing is revoked: a host
    /// that waits for updates for months need not load the system's library for it, which costs 2.5 MB.
    /// </summary>
    internal ImmutableArray<RsaPublicJwk> Usable
    {
        get
        {
            if (usable.IsDefault)
            {
                ImmutableInterlocked.InterlockedInitialize(ref usable, FindUsable());
            }
            return usable;
        }
    }

    /// <summary>Reads the roots; <c>invalidValue</c> says which one is wrong and why.</summary>
    /// <param name="jwks">One JSON text <c>{kty,n,e,kid,alg}</c> per root.</param>
    /// <param name="revokedKeys">
    /// Fingerprints of root and signing keys that are no longer trusted: base64url of SHA-256 over the PKCS#1 RSAPublicKey.
    /// </param>
    public static TrustedRoots Parse(IEnumerable<string> jwks, IEnumerable<string>? revokedKeys = null)
    {
        var found = new List<RsaPublicJwk>();
        var index = 0;
        foreach (var jwk in jwks)
        {
            var context = $"trustedRoots[{index++}]";
            if (index > MaxRoots || jwk.Length > MaxJwkLength)
            {
                throw Wrong(context, $"There are at most {MaxRoots} roots of at most {MaxJwkLength} characters.");
            }
            var root = RsaPublicJwk.Read(
                StrictJson.ParseObject(Encoding.UTF8.GetBytes(jwk), ErrorRegistry.InvalidValue, context)
            );
            if (found.Exists(other => other.KeyId == root.KeyId))
            {
                throw Wrong(context, $"Two roots have the key id '{root.KeyId}'.");
            }
            found.Add(root);
        }
        return Of(found, [], revokedKeys ?? []);
    }

    /// <summary>The roots of a list; their key ids differ.</summary>
    internal static TrustedRoots Of(
        IEnumerable<RsaPublicJwk> roots,
        IEnumerable<string> disabledKeyIds,
        IEnumerable<string> revokedFingerprints
    ) =>
        new(
            roots.ToImmutableSortedDictionary(root => root.KeyId, root => root, StringComparer.Ordinal),
            disabledKeyIds.ToImmutableSortedSet(StringComparer.Ordinal),
            revokedFingerprints.ToImmutableSortedSet(StringComparer.Ordinal)
        );

    internal RsaPublicJwk Find(string keyId)
    {
        if (disabled.Contains(keyId))
        {
            throw Revoked(keyId);
        }
        if (!roots.TryGetValue(keyId, out var root))
        {
            throw ErrorRegistry.UnknownRoot.Exception(
                Subsystems.Updates,
                "sjwk",
                $"The signing key was issued by the root key '{keyId}', which this host does not trust.",
                ("keyId", keyId)
            );
        }
        RequireNotRevoked(root);
        return root;
    }

    internal void RequireNotRevoked(RsaPublicJwk key)
    {
        if (revoked.Contains(key.Fingerprint))
        {
            throw Revoked(key.KeyId);
        }
    }

    private ImmutableArray<RsaPublicJwk> FindUsable() =>
        [
            .. roots
                .Values.Where(root => !disabled.Contains(root.KeyId))
                .Where(root => revoked.IsEmpty || !revoked.Contains(root.Fingerprint))
                // Two ids of one key; every key has the same exponent.
                .DistinctBy(root => Convert.ToHexString(root.Parameters.Modulus!)),
        ];

    private static EdgeDmException Revoked(string keyId) =>
        ErrorRegistry.KeyRevoked.Exception(
            Subsystems.Updates,
            "sjwk",
            $"The key '{keyId}' is revoked on this host.",
            ("keyId", keyId)
        );

    private static EdgeDmException Wrong(string context, string what) =>
        ErrorRegistry.InvalidValue.Exception(Subsystems.Updates, context, $"{context}: {what}");
}
