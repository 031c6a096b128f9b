using System.Security.Cryptography;

namespace EdgeDm.DevHub.Workload;

/// <summary>
/// AES-256-GCM under a key derived from the module's. Layout: nonce, tag, ciphertext. The caller's initialization vector
/// is bound as associated data and not used as nonce: callers use the same one again.
/// </summary>
internal static class WorkloadCipher
{
    private const int KeyBytes = 32;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    public static byte[] Encrypt(ModuleKey key, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> initializationVector)
    {
        var result = new byte[NonceBytes + TagBytes + plaintext.Length];
        var nonce = result.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = Open(key);
        cipher.Encrypt(
            nonce,
            plaintext,
            result.AsSpan(NonceBytes + TagBytes),
            result.AsSpan(NonceBytes, TagBytes),
            initializationVector
        );
        return result;
    }

    public static byte[] Decrypt(ModuleKey key, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> initializationVector)
    {
        if (ciphertext.Length < NonceBytes + TagBytes)
        {
            throw Refused();
        }
        var plaintext = new byte[ciphertext.Length - NonceBytes - TagBytes];
        using var cipher = Open(key);
        try
        {
            cipher.Decrypt(
                ciphertext[..NonceBytes],
                ciphertext[(NonceBytes + TagBytes)..],
                ciphertext.Slice(NonceBytes, TagBytes),
                plaintext,
                initializationVector
            );
        }
        catch (AuthenticationTagMismatchException)
        {
            throw Refused();
        }
        return plaintext;
    }

    private static AesGcm Open(ModuleKey key)
    {
        Span<byte> derived = stackalloc byte[KeyBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key.Primary.Span, derived, [], "EdgeDm dev hub: encrypt"u8);
        return new(derived, TagBytes);
    }

    private static WorkloadException Refused() =>
        new(400, "The ciphertext was not made by this module with this initializationVector.");
}
