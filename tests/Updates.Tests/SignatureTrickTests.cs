using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace EdgeDm.Updates.Tests;

/// <summary>
/// Known ways to deceive a verifier of signatures: whatever a header offers, only the chain sjwk, root key, host counts
/// (RFC 8725, RFC 7515 section 10).
/// </summary>
public sealed class SignatureTrickTests
{
    private static readonly byte[] Manifest = Samples.Bytes(Samples.DeviceUpdate);
    private static readonly RSA Attacker = RSA.Create(3072);

    private static string Payload => $$"""{"sha256":"{{TestKeys.Digest(Manifest)}}"}""";

    private static string AttackersJwk =>
        $$"""{"kty":"RSA","n":"{{Base64Url.EncodeToString(
            Attacker.ExportParameters(false).Modulus
        )}}","e":"AQAB","alg":"RS256","kid":"{{TestKeys.Signer.KeyId}}"}""";

    public static TheoryData<string, string> OfferedKeys =>
        new()
        {
            { "jwk", AttackersJwk },
            { "jku", "\"https://attacker.example/keys.json\"" },
            { "x5u", "\"https://attacker.example/chain.pem\"" },
            { "x5c", $"[\"{Convert.ToBase64String(Attacker.ExportSubjectPublicKeyInfo())}\"]" },
            { "kid", $"\"{TestKeys.Signer.KeyId}\"" },
        };

    [Theory]
    [MemberData(nameof(OfferedKeys))]
    public void Verify_HeaderOffersItsOwnKey_IsNotBelieved(string name, string value)
    {
        // Beside a good sjwk, and in place of it.
        Refuses(ByAttacker($$"""{"alg":"RS256","{{name}}":{{value}},"sjwk":"{{TestKeys.Signer.Sjwk}}"}"""), 4005);
        Refuses(ByAttacker($$"""{"alg":"RS256","{{name}}":{{value}}}"""), 4002);
    }

    [Theory]
    [MemberData(nameof(OfferedKeys))]
    public void Verify_SigningKeyThatOffersItsOwnRoot_IsNotBelieved(string name, string value)
    {
        var kid = name == "kid" ? "" : $",\"kid\":\"{TestKeys.Root.KeyId}\"";
        var offered = name == "kid" ? $"\"{TestKeys.Root.KeyId}\"" : value;
        var sjwk = TestKeys.Jws($$"""{"alg":"RS256","{{name}}":{{offered}}{{kid}}}""", AttackersJwk, Attacker);
        Refuses(ByAttacker($$"""{"alg":"RS256","sjwk":"{{sjwk}}"}"""), 4005);
    }

    [Fact]
    public void Verify_OtherHeadersBesideAGoodChain_ChangeNothing() =>
        Verify(
            TestKeys.Jws(
                $$"""{"typ":"JWT","jwk":{{AttackersJwk}},"alg":"RS256","sjwk":"{{TestKeys.Signer.Sjwk}}"}""",
                Payload,
                TestKeys.SignerRsa
            )
        );

    [Fact]
    public void Verify_CriticalExtensionInTheSigningKey_IsMalformed()
    {
        var sjwk = TestKeys.Jws(
            $$"""{"alg":"RS256","crit":["exp"],"exp":1,"kid":"{{TestKeys.Root.KeyId}}"}""",
            Encoding.UTF8.GetString(Base64Url.DecodeFromChars(TestKeys.Signer.Sjwk.Split('.')[1])),
            TestKeys.RootRsa
        );
        Refuses(TestKeys.Jws($$"""{"alg":"RS256","sjwk":"{{sjwk}}"}""", Payload, TestKeys.SignerRsa), 4002);
    }

    [Fact]
    public void Verify_SigningKeyIssuedBySigningKey_IsRefused()
    {
        // A chain has two links: who may sign manifests may not issue keys.
        var sjwk = TestKeys.Jws(
            $$"""{"alg":"RS256","kid":"{{TestKeys.Signer.KeyId}}"}""",
            AttackersJwk,
            TestKeys.SignerRsa
        );
        Refuses(ByAttacker($$"""{"alg":"RS256","sjwk":"{{sjwk}}"}"""), 4004);
    }

    [Fact]
    public void Verify_ASigningKeysOwnJwsAsTheSignature_IsRefused() => Refuses(TestKeys.Signer.Sjwk, 4002);

    [Fact]
    public void Verify_DigestOfAnotherManifest_IsTampered() =>
        Refuses(ManifestSignature.Sign("{}"u8, TestKeys.Signer), 4006);

    [Fact]
    public void Verify_TruncatedAnywhere_IsRefused()
    {
        var jws = ManifestSignature.Sign(Manifest, TestKeys.Signer);
        foreach (var length in Enumerable.Range(0, 40).Select(i => jws.Length - 1 - i * (jws.Length / 40)))
        {
            Samples
                .Refused(() => Verify(jws[..length]))
                .Code.ShouldBeOneOf([4002, 4003, 4005], $"the first {length} characters");
        }
    }

    [Theory]
    [InlineData("{0}.")]
    [InlineData("{0}.e30")]
    [InlineData(".{0}")]
    [InlineData("{0} ")]
    [InlineData("\n{0}")]
    [InlineData("{0}=")]
    [InlineData("{{\"signatures\":[\"{0}\"]}}")]
    public void Verify_MoreThanTheThreeParts_IsMalformed(string form) =>
        Refuses(
            string.Format(
                System.Globalization.CultureInfo.InvariantCulture,
                form,
                ManifestSignature.Sign(Manifest, TestKeys.Signer)
            ),
            4002
        );

    [Theory]
    [InlineData("SHA1")]
    [InlineData("SHA384")]
    [InlineData("SHA512")]
    public void Verify_OtherHashUnderTheNameRs256_IsRefused(string hash) =>
        Refuses(
            TestKeys.Jws(
                $$"""{"alg":"RS256","sjwk":"{{TestKeys.Signer.Sjwk}}"}""",
                Payload,
                text => TestKeys.SignerRsa.SignData(text, new(hash), RSASignaturePadding.Pkcs1)
            ),
            4005
        );

    [Fact]
    public void Verify_PssUnderTheNameRs256_IsRefused() =>
        Refuses(
            TestKeys.Jws(
                $$"""{"alg":"RS256","sjwk":"{{TestKeys.Signer.Sjwk}}"}""",
                Payload,
                text => TestKeys.SignerRsa.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pss)
            ),
            4005
        );

    private static string ByAttacker(string header) => TestKeys.Jws(header, Payload, Attacker);

    private static void Verify(string jws) => ManifestSignature.Verify(Manifest, jws, TestKeys.Roots);

    private static void Refuses(string jws, int code) => Samples.Refused(() => Verify(jws)).Code.ShouldBe(code);
}
