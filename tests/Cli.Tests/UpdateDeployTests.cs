using System.Text.Json.Nodes;

namespace EdgeDm.Cli.Tests;

public sealed class UpdateDeployTests(SigningFolder signing) : IClassFixture<SigningFolder>, IAsyncLifetime
{
    private static readonly string Get = $"GET {FakeHub.Twin}";
    private static readonly string Patch = $"PATCH {FakeHub.Twin}";
    private readonly TemporaryFolder folder = new();
    private FakeHub hub = null!;

    private string Update => folder["update"];

    public async ValueTask InitializeAsync() => hub = await FakeHub.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await hub.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Deploy_Folder_ReplacesTheGroupOnTheTwinThatWasRead()
    {
        await signing.PublishAsync(Update);
        hub.On(
                Get,
                200,
                Documents.Twin(
                    """{"firmwareUpdate":{"packageUri":"x","fileUrls":{"old":"y"},"workflow":{"id":"1"}},"other":{}}"""
                )
            )
            .On(Patch, 200, Documents.Twin("""{"$version":5}"""));

        var result = await DeployAsync(Update, "--base-url", "https://files/x/", "--deployment", "mine");

        result.ShouldExitWith(0).Output.ShouldContain("Deployed as mine");
        var request = hub.Requests.Last();
        request.IfMatch.ShouldBe("\"AAA=\"");
        request.Json["properties"]!["desired"]!.AsObject().Count.ShouldBe(1);
        var group = GroupOf(request);
        group["updateManifest"]!
            .GetValue<string>()
            .ShouldBe(File.ReadAllText(Path.Combine(Update, "update.manifest.json")));
        group["updateManifestSignature"]!
            .GetValue<string>()
            .ShouldBe(File.ReadAllText(Path.Combine(Update, "update.manifest.jws")));
        group["__meta"]!.ToJsonString().ShouldBe("""{"deploymentId":"mine"}""");
        group.ContainsKey("packageUri").ShouldBeTrue();
        group["packageUri"].ShouldBeNull();
        group.ContainsKey("workflow").ShouldBeTrue();
        group["workflow"].ShouldBeNull();
        var urls = group["fileUrls"]!.AsObject();
        urls["old"].ShouldBeNull();
        urls.Select(url => url.Value?.GetValue<string>())
            .OfType<string>()
            .Order(StringComparer.Ordinal)
            .ShouldBe(["https://files/x/image.bin", "https://files/x/install.sh"]);
    }

    [Fact]
    public async Task Deploy_SasInTheBaseUrl_StaysAtTheEndAndIsNeverShown()
    {
        await signing.PublishAsync(Update);
        hub.On(Get, 200, Documents.Twin()).On(Patch, 200, Documents.Twin("""{"$version":5}"""));
        var environment = hub.Environment;
        environment["EDGEDM_BASE_URL"] = "https://files/c?sv=1&sig=secret";
        var result = await EdgeDmProcess.RunAsync(environment, "", "update", "deploy", Update, "--workflow", "2");
        result.ShouldExitWith(0);
        (result.Output + result.Error).ShouldNotContain("secret");
        var group = GroupOf(hub.Requests.Last());
        group["fileUrls"]!.ToJsonString().ShouldContain("https://files/c/install.sh?sv=1\\u0026sig=secret");
        group["workflow"]!["id"]!.GetValue<string>().ShouldBe("2");
    }

    [Fact]
    public async Task Deploy_Detached_GivesTheDetachedManifestsAddress()
    {
        var steps = folder.Write(
            "steps.json",
            """[{"handler":"h","files":["*"],"handlerProperties":{"x":"PADDING"}}]""".Replace(
                "PADDING",
                new string('x', 5000)
            )
        );
        (await EdgeDmProcess.RunAsync([.. signing.Create(Update), "--steps", steps])).ShouldExitWith(0);
        hub.On(Get, 200, Documents.Twin()).On(Patch, 200, Documents.Twin());
        (await DeployAsync(Update, "--base-url", "http://files")).ShouldExitWith(0);
        var urls = GroupOf(hub.Requests.Last())["fileUrls"]!.AsObject();
        urls.Count.ShouldBe(3);
        urls.ShouldContain(url =>
            url.Value!.GetValue<string>() == "http://files/Contoso.Gateway.2.0.0.updatemanifest.json"
        );
    }

    [Fact]
    public async Task Deploy_TwinChangedMeanwhile_ReadsAgain()
    {
        hub.On(Get, 200, Documents.Twin(etag: "one"))
            .On(Get, 200, Documents.Twin(etag: "two"))
            .On(Patch, 412, """{"Message":"ErrorCode:PreconditionFailed;no"}""", "PreconditionFailed")
            .On(Patch, 200, Documents.Twin());
        (await DeployAsync("http://files/x.edgedm.tar")).ShouldExitWith(0);
        hub.Requests.Where(r => r.Method == "PATCH").Select(r => r.IfMatch).ShouldBe(["\"one\"", "\"two\""]);
        GroupOf(hub.Requests.Last())["packageUri"]!.GetValue<string>().ShouldBe("http://files/x.edgedm.tar");
    }

    [Fact]
    public async Task Deploy_LocalBundle_IsNamedBelowTheBaseUrl()
    {
        await signing.PublishAsync(folder["a b.edgedm.tar"], "--bundle");
        hub.On(Get, 200, Documents.Twin()).On(Patch, 200, Documents.Twin());
        (await DeployAsync(folder["a b.edgedm.tar"], "--base-url", "http://files")).ShouldExitWith(0);
        GroupOf(hub.Requests.Last())["packageUri"]!.GetValue<string>().ShouldBe("http://files/a%20b.edgedm.tar");
    }

    [Theory]
    [InlineData("nothing", "is no folder")]
    [InlineData("ftp://x/y", "is no folder")]
    [InlineData("http://x/y#z", "no absolute http")]
    public async Task Deploy_NoUpdate_IsWrongUsage(string update, string words)
    {
        (await DeployAsync(update)).ShouldExitWith(2).Error.ShouldContain(words);
        hub.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Deploy_NoBaseUrl_IsWrongUsage()
    {
        await signing.PublishAsync(Update);
        (await DeployAsync(Update)).ShouldExitWith(2).Error.ShouldContain("--base-url");
        (await DeployAsync(Update, "--base-url", "files")).ShouldExitWith(2).Error.ShouldContain("no absolute http");
    }

    [Fact]
    public async Task Deploy_FileMissing_IsRefused()
    {
        await signing.PublishAsync(Update);
        File.Delete(Path.Combine(Update, "image.bin"));
        (await DeployAsync(Update, "--base-url", "http://files")).ShouldExitWith(1).Error.ShouldContain("is missing");
        hub.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Deploy_AddressesThatFillTheTwin_NamesTheBundle()
    {
        await signing.PublishAsync(Update);
        var result = await DeployAsync(Update, "--base-url", $"http://files/{new string('x', 4096)}");
        result.ShouldExitWith(1).Error.ShouldContain("a string in a twin may have 4096");
        result.Error.ShouldContain("--bundle");
        hub.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Deploy_Watch_FollowsToTheEnd()
    {
        hub.On(Get, 200, Documents.Twin())
            .On(Patch, 200, Documents.Twin())
            .On(Get, 200, Documents.FirmwareTwin("mine", "old", "succeeded", "fw-0"))
            .On(Get, 200, Documents.FirmwareTwin("mine", "mine", "succeeded", "fw-1"))
            .OnMethod("getJob", 200, Documents.CompletedJob);
        var result = await DeployAsync("http://files/x.tar", "--deployment", "mine", "--watch", "--interval", "0.1");
        result.ShouldExitWith(0).Output.ShouldContain("fw-1  completed");
    }

    [Fact]
    public async Task Deploy_SameUpdateThatFailedBefore_TellsHowToRetry()
    {
        hub.On(Get, 200, Documents.FirmwareTwin("old", "old", "failed", "fw-1"))
            .On(Patch, 200, Documents.Twin())
            .On(Get, 200, Documents.FirmwareTwin("mine", "mine", "failed", "fw-1"))
            .OnMethod("getJob", 200, Documents.Job("failed", more: $",\"error\":{Documents.Error}"));
        var result = await DeployAsync("http://files/x.tar", "--deployment", "mine", "--watch");
        result.ShouldExitWith(5).Error.ShouldContain("--workflow <new id>");
    }

    private Task<EdgeDmResult> DeployAsync(string update, params string[] more) =>
        hub.RunAsync(["update", "deploy", update, .. more]);

    private static JsonObject GroupOf(FakeHub.Request request) =>
        request.Json["properties"]!["desired"]!["firmwareUpdate"]!.AsObject();
}
