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

    private readonly ImmutableDictionary<string, RsaPublicJwk> roots;
    private readonly ImmutableHashSet<string> revoked;

    private TrustedRoots(ImmutableDictionary<string, RsaPublicJwk> roots, ImmutableHashSet<string> revoked)
    {
        this.roots = roots;
        this.revoked = revoked;
    }

    /// <summary>Trusts nobody: every signature is refused with <c>unknownRoot</c>.</summary>
    public static TrustedRoots None { get; } =
        new(ImmutableDictionary<string, RsaPublicJwk>.Empty, ImmutableHashSet<string>.Empty);

    /// <summary>Key ids of the roots, in order.</summary>
    public IEnumerable<string> KeyIds => roots.Keys.Order(StringComparer.Ordinal);

    /// <summary>Reads the roots; <c>invalidValue</c> says which one is wrong and why.</summary>
    /// <param name="jwks">One JSON text <c>{kty,n,e,kid,alg}</c> per root.</param>
    /// <param name="revokedKeys">
    /// Fingerprints of root and signing keys that are no longer trusted: base64url of SHA-256 over the PKCS#1 RSAPublicKey.
    /// </param>
    public static TrustedRoots Parse(IEnumerable<string> jwks, IEnumerable<string>? revokedKeys = null)
    {
        var found = ImmutableDictionary.CreateBuilder<string, RsaPublicJwk>(StringComparer.Ordinal);
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
            if (!found.TryAdd(root.KeyId, root))
            {
                throw Wrong(context, $"Two roots have the key id '{root.KeyId}'.");
            }
        }
        return new(found.ToImmutable(), [.. revokedKeys ?? []]);
    }

    internal RsaPublicJwk Find(string keyId)
    {
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
            throw ErrorRegistry.KeyRevoked.Exception(
                Subsystems.Updates,
                "sjwk",
                $"The key '{key.KeyId}' is revoked on this host.",
                ("keyId", key.KeyId)
            );
        }
    }

    private static EdgeDmException Wrong(string context, string what) =>
        ErrorRegistry.InvalidValue.Exception(Subsystems.Updates, context, $"{context}: {what}");
}
