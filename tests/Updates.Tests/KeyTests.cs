namespace EdgeDm.Updates.Tests;

public sealed class KeyTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("correct horse")]
    public void ToPem_ThenFromPem_IsTheSameKey(string? passphrase)
    {
        var pem = TestKeys.Signer.ToPem(passphrase);
        pem.ShouldStartWith(
            passphrase is null ? "-----BEGIN PRIVATE KEY-----" : "-----BEGIN ENCRYPTED PRIVATE KEY-----"
        );
        using var key = SigningKey.FromPem(pem, passphrase, TestKeys.Signer.Sjwk + "\n");
        var jws = ManifestSignature.Sign("x"u8, key);
        ManifestSignature.Verify("x"u8, jws, TestKeys.Roots).SigningKeyId.ShouldBe(TestKeys.Signer.KeyId);
    }

    [Fact]
    public void FromPem_WrongPassphrase_SaysSo() =>
        Should
            .Throw<UnusableKeyException>(() => RootKey.FromPem(TestKeys.Root.ToPem("right"), "wrong"))
            .Message.ShouldContain("wrong passphrase");

    [Fact]
    public void FromPem_NoPassphrase_SaysSo() =>
        Should
            .Throw<UnusableKeyException>(() => RootKey.FromPem(TestKeys.Root.ToPem("right"), null))
            .Message.ShouldContain("no passphrase");

    [Fact]
    public void FromPem_NoKey_SaysSo()
    {
        Should.Throw<UnusableKeyException>(() => RootKey.FromPem("hello", null));
        Should.Throw<UnusableKeyException>(() => RootKey.FromPem(TestKeys.RootRsa.ExportRSAPublicKeyPem(), null));
    }

    [Fact]
    public void FromPem_SjwkOfAnotherKey_SaysSo()
    {
        using var other = SigningKey.Generate(TestKeys.Root);
        Should
            .Throw<UnusableKeyException>(() => SigningKey.FromPem(TestKeys.Signer.ToPem(null), null, other.Sjwk))
            .Message.ShouldContain("another signing key");
        Should.Throw<UnusableKeyException>(() => SigningKey.FromPem(TestKeys.Signer.ToPem(null), null, "no.jws.here"));
    }

    [Fact]
    public void KeyId_LoadedAgain_IsTheSame()
    {
        using var key = RootKey.FromPem(TestKeys.Root.ToPem(null), null);
        key.KeyId.ShouldBe(TestKeys.Root.KeyId);
        key.KeyId.ShouldMatch("^EDGEDM\\.[0-9a-f]{12}\\.R$");
    }

    [Theory]
    [InlineData("{}", "kty")]
    [InlineData("nonsense", "trustedRoots[0]")]
    [InlineData("""{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"x"}""", "trustedRoots[0].n")]
    [InlineData("""{"kty":"RSA","d":"AQAB","n":"AQAB","e":"AQAB","kid":"x"}""", "private")]
    public void Parse_WrongRoot_SaysWhichAndWhy(string jwk, string words)
    {
        var error = Samples.Refused(() => TrustedRoots.Parse([jwk]));
        error.Code.ShouldBe(1001);
        $"{error.Context} {error.Message}".ShouldContain(words);
    }

    [Fact]
    public void Parse_TwoRootsOfOneKeyId_IsRefused() =>
        Samples
            .Refused(() => TrustedRoots.Parse([TestKeys.Root.PublicJwk, TestKeys.Root.PublicJwk]))
            .Context.ShouldBe("trustedRoots[1]");

    [Fact]
    public void Parse_TooManyRoots_IsRefused()
    {
        var jwk = TestKeys.Root.PublicJwk;
        string Named(int i) => jwk.Replace(TestKeys.Root.KeyId, $"root{i}");
        TrustedRoots
            .Parse(Enumerable.Range(0, TrustedRoots.MaxRoots).Select(Named))
            .KeyIds.Count()
            .ShouldBe(TrustedRoots.MaxRoots);
        Samples.Refused(() => TrustedRoots.Parse(Enumerable.Range(0, TrustedRoots.MaxRoots + 1).Select(Named)));
    }
}
