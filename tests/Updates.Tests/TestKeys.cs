using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace EdgeDm.Updates.Tests;

/// <summary>Keys of one test run (making them is slow), and the means to write signatures that the library would never write.</summary>
internal static class TestKeys
{
    private static readonly Lazy<RootKey> LazyRoot = new(RootKey.Generate);
    private static readonly Lazy<RootKey> LazyOtherRoot = new(RootKey.Generate);
    private static readonly Lazy<SigningKey> LazySigner = new(() => SigningKey.Generate(Root));

    public static RootKey Root => LazyRoot.Value;

    /// <summary>A second root, as good as the first.</summary>
    public static RootKey OtherRoot => LazyOtherRoot.Value;

    public static SigningKey Signer => LazySigner.Value;

    public static TrustedRoots Roots => TrustedRoots.Parse([Root.PublicJwk]);

    public static RSA RootRsa => Rsa(Root.ToPem(null));

    public static RSA SignerRsa => Rsa(Signer.ToPem(null));

    public static string Jws(string header, string payload, RSA key) =>
        Jws(header, payload, text => key.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    public static string Jws(string header, string payload, Func<byte[], byte[]> sign)
    {
        var text = $"{Segment(header)}.{Segment(payload)}";
        return $"{text}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(text)))}";
    }

    public static string Segment(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    public static string Digest(ReadOnlySpan<byte> manifest) => Convert.ToBase64String(SHA256.HashData(manifest));

    private static RSA Rsa(string pem)
    {
        var rsa = RSA.Create();
        rsa.ImportFromPem(pem);
        return rsa;
    }
}
