using EdgeDm.Updates;

namespace EdgeDm.Cli.Tests;

public sealed class UpdateKeygenTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Keygen_NoPassphrase_WritesKeysThatWork()
    {
        var result = await EdgeDmProcess.RunAsync(
            "update",
            "keygen",
            "--out",
            folder["keys"],
            "--no-passphrase",
            "--json"
        );

        result.ShouldExitWith(0);
        using var root = RootKey.FromPem(Read("root.key.pem"), null);
        using var signing = SigningKey.FromPem(Read("signing.key.pem"), null, Read("signing.sjwk"));
        var roots = TrustedRoots.Parse([Read("root.jwk.json")]);
        ManifestSignature
            .Verify("x"u8, ManifestSignature.Sign("x"u8, signing), roots)
            .ShouldBe(new ManifestSigner(root.KeyId, signing.KeyId));
        result.Json["rootKeyId"]!.GetValue<string>().ShouldBe(root.KeyId);
        result.Json["signingFingerprint"]!.GetValue<string>().ShouldBe(signing.Fingerprint);
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task Keygen_AnyKeys_PrivateFilesAreTheOwnersAlone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix permissions.");
        (await EdgeDmProcess.RunAsync("update", "keygen", "--out", folder["keys"], "--no-passphrase")).ShouldExitWith(
            0
        );
        foreach (var name in new[] { "root.key.pem", "signing.key.pem" })
        {
            File.GetUnixFileMode(folder[$"keys/{name}"]).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        File.GetUnixFileMode(folder["keys"])
            .ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public async Task Keygen_PassphraseOfTheEnvironment_EncryptsAndIsNeverShown()
    {
        var environment = new Dictionary<string, string> { ["EDGEDM_PASSPHRASE"] = "correct horse" };
        var result = await EdgeDmProcess.RunAsync(environment, "", "update", "keygen", "--out", folder["keys"]);

        result.ShouldExitWith(0);
        (result.Output + result.Error).ShouldNotContain("correct horse");
        Read("root.key.pem").ShouldContain("ENCRYPTED");
        RootKey.FromPem(Read("root.key.pem"), "correct horse").Dispose();
        SigningKey.FromPem(Read("signing.key.pem"), "correct horse", Read("signing.sjwk")).Dispose();
    }

    [Fact]
    public async Task Keygen_RootThatIsThere_IssuesAnotherSigningKey()
    {
        await EdgeDmProcess.RunAsync("update", "keygen", "--out", folder["keys"], "--no-passphrase");
        var result = await EdgeDmProcess.RunAsync(
            "update",
            "keygen",
            "--out",
            folder["next"],
            "--root-key",
            folder["keys/root.key.pem"],
            "--no-passphrase"
        );

        result.ShouldExitWith(0).Output.ShouldContain("keys/root.key.pem");
        Directory
            .GetFiles(folder["next"])
            .Select(Path.GetFileName)
            .Order(StringComparer.Ordinal)
            .ShouldBe(["signing.key.pem", "signing.sjwk"]);
        using var signing = SigningKey.FromPem(
            File.ReadAllText(folder["next/signing.key.pem"]),
            null,
            File.ReadAllText(folder["next/signing.sjwk"])
        );
        signing.KeyId.ShouldNotBe(SigningKey.FromPem(Read("signing.key.pem"), null, Read("signing.sjwk")).KeyId);
        ManifestSignature.Verify(
            "x"u8,
            ManifestSignature.Sign("x"u8, signing),
            TrustedRoots.Parse([Read("root.jwk.json")])
        );
    }

    [Fact]
    public async Task Keygen_RootThatIsNoKey_WritesNothing()
    {
        folder.Write("root.key.pem", "no key");
        var result = await EdgeDmProcess.RunAsync(
            "update",
            "keygen",
            "--out",
            folder["keys"],
            "--root-key",
            folder["root.key.pem"],
            "--no-passphrase"
        );
        result.ShouldExitWith(1);
        result.Error.ShouldContain("no RSA private key");
        Directory.Exists(folder["keys"]).ShouldBeFalse();
    }

    [Theory]
    [InlineData("1234567", "at least 8")]
    [InlineData("", "EDGEDM_PASSPHRASE")]
    public async Task Keygen_NoGoodPassphraseAndNoTerminal_WritesNothing(string passphrase, string words)
    {
        var environment = new Dictionary<string, string> { ["EDGEDM_PASSPHRASE"] = passphrase };
        var result = await EdgeDmProcess.RunAsync(environment, "", "update", "keygen", "--out", folder["keys"]);

        result.ShouldExitWith(2);
        result.Error.ShouldContain(words);
        Directory.Exists(folder["keys"]).ShouldBeFalse();
    }

    [Theory]
    [InlineData("root.key.pem")]
    [InlineData("root.jwk.json")]
    [InlineData("signing.key.pem")]
    [InlineData("signing.sjwk")]
    public async Task Keygen_AnyFileExists_OverwritesNothing(string name)
    {
        folder.Write($"keys/{name}", "precious");
        var result = await EdgeDmProcess.RunAsync("update", "keygen", "--out", folder["keys"], "--no-passphrase");

        result.ShouldExitWith(1);
        result.Error.ShouldContain(name);
        Directory.GetFiles(folder["keys"]).Length.ShouldBe(1);
        Read(name).ShouldBe("precious");
    }

    private string Read(string name) => File.ReadAllText(folder[$"keys/{name}"]);
}
