using System.Text.Json.Nodes;
using EdgeDm.Updates;

namespace EdgeDm.Cli.Tests;

public sealed class UpdateCreateTests(SigningFolder signing) : IClassFixture<SigningFolder>, IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string Out => folder["out"];

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Create_Script_PublishesWhatVerifyAccepts()
    {
        await signing.PublishAsync(Out, "--arguments", "--slot b");

        Directory
            .GetFiles(Out)
            .Select(Path.GetFileName)
            .Order(StringComparer.Ordinal)
            .ShouldBe(["image.bin", "install.sh", "update.manifest.json", "update.manifest.jws"]);
        var manifest = UpdateManifest.Parse(File.ReadAllBytes(Path.Combine(Out, "update.manifest.json")));
        manifest.UpdateId.ShouldBe(new UpdateId("Contoso", "Gateway", "2.0.0"));
        manifest.Compatibility.Single()["deviceModel"].ShouldBe("Gateway");
        var step = manifest.Steps.Single();
        step.Handler.ShouldBe("microsoft/script:1");
        step.Files.Length.ShouldBe(2);
        JsonNode
            .DeepEquals(
                JsonNode.Parse(step.HandlerProperties.GetRawText()),
                JsonNode.Parse(
                    """{"scriptFileName":"install.sh","arguments":"--slot b","installedCriteria":"2.0.0","apiVersion":"1.1"}"""
                )
            )
            .ShouldBeTrue();
        (await VerifyAsync()).ShouldExitWith(0).Output.ShouldContain("Signature and files are good.");
    }

    [Fact]
    public async Task Create_StepsFile_MakesItsSteps()
    {
        var steps = folder.Write(
            "steps.json",
            """
            [{"handler":"microsoft/script:1","files":["install.sh"],"handlerProperties":{"scriptFileName":"install.sh"},"description":"first"},
             {"handler":"edgedm/simulator:1","files":["*"],"handlerProperties":{"firmwareVersion":"2.0.0","reboot":true}}]
            """
        );
        (await EdgeDmProcess.RunAsync([.. signing.Create(Out), "--steps", steps])).ShouldExitWith(0);

        var manifest = UpdateManifest.Parse(File.ReadAllBytes(Path.Combine(Out, "update.manifest.json")));
        manifest
            .Steps.Select(step => (step.Handler, step.Files.Length, step.Description))
            .ShouldBe([("microsoft/script:1", 1, "first"), ("edgedm/simulator:1", 2, null)]);
        (await VerifyAsync()).ShouldExitWith(0);
    }

    [Theory]
    [InlineData("""[{"handler":"h","files":["install.sh"]}]""", "No step uses 'image.bin'")]
    [InlineData("""[{"handler":"h","files":["other"]}]""", "no file 'other'")]
    [InlineData("""[{"handler":"h","file":["*"]}]""", "unknown member 'file'")]
    [InlineData("""[{"files":["*"]}]""", "'handler'")]
    [InlineData("""[{"handler":"h","files":"*"}]""", "must be an array")]
    [InlineData("{}", "array with at least one step")]
    [InlineData("[1,", "is not JSON")]
    public async Task Create_WrongStepsFile_SaysWhatIsWrong(string json, string words)
    {
        var steps = folder.Write("steps.json", json);
        var result = await EdgeDmProcess.RunAsync([.. signing.Create(Out), "--steps", steps]);
        result.ShouldExitWith(2).Error.ShouldContain(words);
        Directory.Exists(Out).ShouldBeFalse();
    }

    [Fact]
    public async Task Create_ManifestAbove4000Bytes_IsDetached()
    {
        var steps = folder.Write(
            "steps.json",
            """[{"handler":"h","files":["*"],"handlerProperties":{"x":"PADDING"}}]""".Replace(
                "PADDING",
                new string('x', 5000)
            )
        );
        var result = await EdgeDmProcess.RunAsync([.. signing.Create(Out), "--steps", steps, "--json"]);

        result.ShouldExitWith(0).Json["detached"]!.GetValue<bool>().ShouldBeTrue();
        new FileInfo(Path.Combine(Out, "update.manifest.json")).Length.ShouldBeLessThan(4000);
        File.Exists(Path.Combine(Out, "Contoso.Gateway.2.0.0.updatemanifest.json")).ShouldBeTrue();
        (await VerifyAsync()).ShouldExitWith(0);
    }

    [Fact]
    public async Task Create_Bundle_IsOneFileThatVerifyAccepts()
    {
        var bundle = folder["update.edgedm.tar"];
        await signing.PublishAsync(bundle, "--bundle");

        (await EdgeDmProcess.RunAsync("update", "verify", bundle, "--root", signing.Root)).ShouldExitWith(0);
        Directory.GetFiles(folder.Path).ShouldBe([bundle]);
        var again = await EdgeDmProcess.RunAsync([.. signing.Create(bundle), "--script", "install.sh", "--bundle"]);
        again.ShouldExitWith(1).Error.ShouldContain("never overwritten");
    }

    [Fact]
    public async Task Create_BundleIntoAFolder_IsCalledAsTheUpdate()
    {
        await signing.PublishAsync(folder.Path, "--bundle");
        File.Exists(folder["Contoso.Gateway.2.0.0.edgedm.tar"]).ShouldBeTrue();
    }

    [Fact]
    public async Task Create_EncryptedKey_NeedsItsPassphrase()
    {
        string[] args = [.. signing.Create(Out, key: signing.EncryptedKey), "--script", "install.sh"];
        (await EdgeDmProcess.RunAsync(args)).ShouldExitWith(2).Error.ShouldContain("EDGEDM_PASSPHRASE");
        (await WithPassphraseAsync("wrong horse", args)).ShouldExitWith(1).Error.ShouldContain("wrong passphrase");
        (await WithPassphraseAsync("correct horse", args)).ShouldExitWith(0);
        (await VerifyAsync()).ShouldExitWith(0);
    }

    [Fact]
    public async Task Create_TargetNotEmpty_OverwritesNothing()
    {
        folder.Write("out/precious", "x");
        var result = await EdgeDmProcess.RunAsync([.. signing.Create(Out), "--script", "install.sh"]);
        result.ShouldExitWith(1).Error.ShouldContain("never overwritten");
        Directory.GetFiles(Out).Length.ShouldBe(1);
    }

    [Theory]
    [InlineData(new[] { "--script", "other.sh" }, "no file 'other.sh'")]
    [InlineData(new string[0], "Say what the update does")]
    [InlineData(new[] { "--script", "install.sh", "--steps", "x.json" }, "not both")]
    public async Task Create_WrongScript_IsWrongUsage(string[] more, string words) =>
        (await EdgeDmProcess.RunAsync([.. signing.Create(Out), .. more])).ShouldExitWith(2).Error.ShouldContain(words);

    [Fact]
    public async Task Create_FolderWithFolders_IsRefused()
    {
        folder.Write("source/sub/file", "x");
        var result = await EdgeDmProcess.RunAsync([.. signing.Create(Out, folder["source"]), "--script", "file"]);
        result.ShouldExitWith(2).Error.ShouldContain("is a folder");
    }

    [Fact]
    public async Task Create_VersionThatIsNone_IsRefusedByTheRegistry()
    {
        string[] args = [.. signing.Create(Out), "--script", "install.sh", "--json"];
        args[Array.IndexOf(args, "2.0.0")] = "two";
        var result = await EdgeDmProcess.RunAsync(args);
        result.ShouldExitWith(1);
        result.Output.ShouldBeEmpty();
        JsonNode.Parse(result.Error)!["error"]!["code"]!.GetValue<int>().ShouldBe(4000);
    }

    [Fact]
    public async Task Verify_ChangedFile_IsRefused()
    {
        await signing.PublishAsync(Out);
        var image = Path.Combine(Out, "image.bin");
        var bytes = File.ReadAllBytes(image);
        bytes[50_000] ^= 1;
        File.WriteAllBytes(image, bytes);
        (await VerifyAsync()).ShouldExitWith(1).Error.ShouldContain("[3005 digestMismatch, image.bin]");
        File.WriteAllText(image, "short");
        (await VerifyAsync()).ShouldExitWith(1).Error.ShouldContain("3004 wrongSize");
    }

    [Fact]
    public async Task Verify_ChangedManifest_IsTampered()
    {
        await signing.PublishAsync(Out);
        var manifest = Path.Combine(Out, "update.manifest.json");
        File.WriteAllText(manifest, File.ReadAllText(manifest).Replace("2.0.0", "3.0.0"));
        (await VerifyAsync()).ShouldExitWith(1).Error.ShouldContain("4006 manifestTampered");
    }

    [Fact]
    public async Task Verify_OtherRoot_IsUnknown()
    {
        await signing.PublishAsync(Out);
        using var other = RootKey.Generate();
        var root = folder.Write("other.jwk.json", other.PublicJwk);
        (await EdgeDmProcess.RunAsync("update", "verify", Out, "--root", root))
            .ShouldExitWith(1)
            .Error.ShouldContain("4004 unknownRoot");
    }

    [Fact]
    public async Task Verify_CutBundle_IsRefused()
    {
        var bundle = folder["update.edgedm.tar"];
        await signing.PublishAsync(bundle, "--bundle");
        using (var file = File.OpenWrite(bundle))
        {
            file.SetLength(20_000);
        }
        (await EdgeDmProcess.RunAsync("update", "verify", bundle, "--root", signing.Root))
            .ShouldExitWith(1)
            .Error.ShouldContain("ends too early");
    }

    private Task<EdgeDmResult> VerifyAsync() => EdgeDmProcess.RunAsync("update", "verify", Out, "--root", signing.Root);

    private static Task<EdgeDmResult> WithPassphraseAsync(string passphrase, string[] args) =>
        EdgeDmProcess.RunAsync(new Dictionary<string, string> { ["EDGEDM_PASSPHRASE"] = passphrase }, "", args);
}
