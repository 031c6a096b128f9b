using System.Security.Cryptography;
using System.Text;
using EdgeDm.Contracts;

namespace EdgeDm.Updates.Tests;

public sealed class ManifestSignatureTests
{
    private static readonly byte[] Manifest = Samples.Bytes(Samples.DeviceUpdate);

    private static string Jwk => PartOf(TestKeys.Signer.Sjwk, 1);

    private static string SjwkHeader => PartOf(TestKeys.Signer.Sjwk, 0);

    private static string Payload => $$"""{"sha256":"{{TestKeys.Digest(Manifest)}}"}""";

    [Fact]
    public void Verify_WhatSignMade_NamesTheSigners() =>
        ManifestSignature
            .Verify(Manifest, ManifestSignature.Sign(Manifest, TestKeys.Signer), TestKeys.Roots)
            .ShouldBe(new ManifestSigner(TestKeys.Root.KeyId, TestKeys.Signer.KeyId));

    [Fact]
    public void Sign_KeysOfThisTool_FitATwinsString() =>
        ManifestSignature.Sign(Manifest, TestKeys.Signer).Length.ShouldBeLessThan(4096);

    [Fact]
    public void Verify_AlgorithmInLowerCase_IsAccepted() =>
        Accepts(Outer(header: $$"""{"alg":"rs256","sjwk":"{{TestKeys.Signer.Sjwk}}"}"""));

    [Fact]
    public void Verify_ModulusInStandardBase64_IsAccepted()
    {
        // As in Device Update's own data.
        var standard = Jwk.Replace('-', '+').Replace('_', '/');
        var n = standard.Split("\"n\":\"")[1].Split('"')[0];
        var kid = TestKeys.Signer.KeyId;
        Accepts(Outer(sjwk: Sjwk($$"""{"kty":"RSA","n":"{{n}}","e":"AQAB","alg":"RS256","kid":"{{kid}}"}""")));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("HS256")]
    [InlineData("RS512")]
    [InlineData("PS256")]
    public void Verify_OtherAlgorithm_IsRefused(string algorithm)
    {
        Refuses(Outer(header: $$"""{"alg":"{{algorithm}}","sjwk":"{{TestKeys.Signer.Sjwk}}"}"""), 4003);
        Refuses(Outer(sjwk: Sjwk(Jwk, SjwkHeader.Replace("RS256", algorithm))), 4003);
        Refuses(Outer(sjwk: Sjwk(Jwk.Replace("RS256", algorithm))), 4003);
    }

    [Fact]
    public void Verify_NoneWithoutSignature_IsRefused()
    {
        var header = TestKeys.Segment($$"""{"alg":"none","sjwk":"{{TestKeys.Signer.Sjwk}}"}""");
        Refuses($"{header}.{TestKeys.Segment(Payload)}.", 4003);
    }

    [Fact]
    public void Verify_HmacWithThePublicKey_IsRefused() =>
        Refuses(
            TestKeys.Jws(
                $$"""{"alg":"HS256","sjwk":"{{TestKeys.Signer.Sjwk}}"}""",
                Payload,
                text => HMACSHA256.HashData(Encoding.ASCII.GetBytes(Jwk), text)
            ),
            4003
        );

    [Fact]
    public void Verify_UnknownRoot_IsRefused()
    {
        using var other = RootKey.Generate();
        var jws = ManifestSignature.Sign(Manifest, TestKeys.Signer);
        Refuses(jws, 4004, TrustedRoots.Parse([other.PublicJwk]));
        Refuses(jws, 4004, TrustedRoots.None);
    }

    [Fact]
    public void Verify_AnotherRootUnderTheTrustedKeyId_IsRefused()
    {
        using var other = RSA.Create(3072);
        Refuses(Outer(sjwk: TestKeys.Jws(SjwkHeader, Jwk, other)), 4005);
    }

    [Fact]
    public void Verify_SignedByAnotherKey_IsRefused()
    {
        using var other = RSA.Create(3072);
        Refuses(TestKeys.Jws($$"""{"alg":"RS256","sjwk":"{{TestKeys.Signer.Sjwk}}"}""", Payload, other), 4005);
    }

    [Fact]
    public void Verify_SigningKeyThatNoRootIssued_IsRefused()
    {
        using var other = RSA.Create(3072);
        var jwk = RsaJwk(other);
        var forged =
            $"{TestKeys.Signer.Sjwk.Split('.')[0]}.{TestKeys.Segment(jwk)}.{TestKeys.Signer.Sjwk.Split('.')[2]}";
        Refuses(TestKeys.Jws($$"""{"alg":"RS256","sjwk":"{{forged}}"}""", Payload, other), 4005);
    }

    [Fact]
    public void Verify_RootSignsDirectly_IsRefused() =>
        // A root's word is about keys; a manifest must come from an issued key.
        Refuses(TestKeys.Jws($$"""{"alg":"RS256","kid":"{{TestKeys.Root.KeyId}}"}""", Payload, TestKeys.RootRsa), 4002);

    [Fact]
    public void Verify_OneByteChanged_IsTampered()
    {
        var jws = ManifestSignature.Sign(Manifest, TestKeys.Signer);
        var other = Manifest.ToArray();
        other[^1] = (byte)' ';
        Samples.Refused(() => ManifestSignature.Verify(other, jws, TestKeys.Roots)).Code.ShouldBe(4006);
        Samples
            .Refused(() => ManifestSignature.Verify([.. Manifest, (byte)'\n'], jws, TestKeys.Roots))
            .Code.ShouldBe(4006);
    }

    [Fact]
    public void Verify_EachPartOfTheSignatureChanged_IsInvalid()
    {
        var parts = ManifestSignature.Sign(Manifest, TestKeys.Signer).Split('.');
        Refuses($"{parts[0]}.{TestKeys.Segment($$"""{"sha256":"{{Samples.DigestOfNothing}}"}""")}.{parts[2]}", 4005);
        Refuses($"{parts[0]}.{parts[1]}.{Flip(parts[2])}", 4005);
    }

    [Theory]
    [InlineData("", 4002)]
    [InlineData("a.b", 4002)]
    [InlineData("a.b.c.d", 4002)]
    [InlineData("!!.e30.e30", 4002)]
    [InlineData("e30.e30.e30", 4002)] // {} has no alg.
    [InlineData("e30=.e30.e30", 4002)]
    public void Verify_NoJws_IsMalformed(string jws, int code) => Refuses(jws, code);

    [Theory]
    [InlineData(ManifestSignature.MaxJwsLength, "three parts")]
    [InlineData(ManifestSignature.MaxJwsLength + 1, "more than")]
    public void Verify_JwsAtItsLongest_Edge(int length, string complaint) =>
        Samples
            .Refused(() => ManifestSignature.Verify(Manifest, new string('a', length), TestKeys.Roots))
            .Message.ShouldContain(complaint);

    [Fact]
    public void Verify_DuplicateNamesInAHeader_IsMalformed()
    {
        Refuses(Outer(header: $$"""{"alg":"RS256","alg":"none","sjwk":"{{TestKeys.Signer.Sjwk}}"}"""), 4002);
        Refuses(Outer(sjwk: Sjwk(Jwk, SjwkHeader.Replace("\"kid\"", "\"kid\":\"x\",\"\\u006bid\""))), 4002);
    }

    [Fact]
    public void Verify_CriticalExtensions_IsMalformed() =>
        Refuses(
            Outer(header: $$"""{"alg":"RS256","crit":["b64"],"b64":false,"sjwk":"{{TestKeys.Signer.Sjwk}}"}"""),
            4002
        );

    [Theory]
    [InlineData("AQAB", "AAEAAQ")]
    [InlineData("AQAB", "Aw")]
    [InlineData("AQAB", "AQAB=")]
    [InlineData("\"RSA\"", "\"EC\"")]
    [InlineData("\"kid\"", "\"kid2\"")]
    [InlineData("\"n\":\"", "\"n\":\"!")]
    public void Verify_SigningKeyOfAnotherForm_IsMalformed(string old, string wrong)
    {
        Jwk.ShouldContain(old);
        Refuses(Outer(sjwk: Sjwk(Jwk.Replace(old, wrong))), 4002);
    }

    [Theory]
    [InlineData(1024, false)]
    [InlineData(2048, true)]
    [InlineData(4096, true)]
    [InlineData(4104, false)]
    public void Verify_SigningKeySize_Edge(int bits, bool accepted)
    {
        using var key = RSA.Create(bits);
        var jws = TestKeys.Jws($$"""{"alg":"RS256","sjwk":"{{Sjwk(RsaJwk(key))}}"}""", Payload, key);
        if (accepted)
        {
            Accepts(jws);
        }
        else
        {
            Refuses(jws, 4002);
        }
    }

    [Fact]
    public void Verify_RevokedKeys_AreRefused()
    {
        var jws = ManifestSignature.Sign(Manifest, TestKeys.Signer);
        foreach (var fingerprint in new[] { TestKeys.Root.Fingerprint, TestKeys.Signer.Fingerprint })
        {
            Refuses(jws, 4011, TrustedRoots.Parse([TestKeys.Root.PublicJwk], [fingerprint]));
        }
    }

    [Theory]
    [InlineData("""{"sha256":"AAAA"}""")]
    [InlineData("""{"sha256":1}""")]
    [InlineData("{}")]
    [InlineData("[]")]
    public void Verify_PayloadWithoutDigest_IsNotAccepted(string payload) =>
        Samples
            .Refused(() => ManifestSignature.Verify(Manifest, Outer(payload: payload), TestKeys.Roots))
            .Code.ShouldBeOneOf(4002, 4006);

    [Fact]
    public void Verify_AnyRefusal_TellsNoKeyMaterial()
    {
        using var other = RootKey.Generate();
        var error = Samples.Refused(() =>
            ManifestSignature.Verify(
                Manifest,
                ManifestSignature.Sign(Manifest, TestKeys.Signer),
                TrustedRoots.Parse([other.PublicJwk])
            )
        );
        error.Name.ShouldBe(ErrorRegistry.UnknownRoot.Name);
        error.Message.ShouldContain(TestKeys.Root.KeyId);
        error.Message.ShouldNotContain(TestKeys.Signer.Sjwk[..40]);
    }

    private static string Outer(string? header = null, string? payload = null, string? sjwk = null) =>
        TestKeys.Jws(
            header ?? $$"""{"alg":"RS256","sjwk":"{{sjwk ?? TestKeys.Signer.Sjwk}}"}""",
            payload ?? Payload,
            TestKeys.SignerRsa
        );

    private static string Sjwk(string jwk, string? header = null) =>
        TestKeys.Jws(header ?? SjwkHeader, jwk, TestKeys.RootRsa);

    private static string RsaJwk(RSA key) =>
        $$"""{"kty":"RSA","n":"{{Convert.ToBase64String(
            key.ExportParameters(false).Modulus!
        )}}","e":"AQAB","alg":"RS256","kid":"test"}""";

    private static string PartOf(string jws, int index) =>
        Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(jws.Split('.')[index]));

    private static string Flip(string segment) => (segment[0] == 'A' ? 'B' : 'A') + segment[1..];

    private static void Accepts(string jws) => ManifestSignature.Verify(Manifest, jws, TestKeys.Roots);

    private static void Refuses(string jws, int code, TrustedRoots? roots = null) =>
        Samples.Refused(() => ManifestSignature.Verify(Manifest, jws, roots ?? TestKeys.Roots)).Code.ShouldBe(code);
}
