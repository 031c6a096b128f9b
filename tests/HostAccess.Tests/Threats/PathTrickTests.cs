using System.Net;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Threats;

/// <summary>Names that would be paths, in signed manifests and in requests: none leads out of its folder.</summary>
public sealed class PathTrickTests(PathTrickTests.Fixture fixture) : IClassFixture<PathTrickTests.Fixture>
{
    private TestGateway Gateway => fixture.Gateway;

    [Theory]
    [InlineData("../evil")]
    [InlineData("..")]
    [InlineData("/etc/cron.d/evil")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("-rf")]
    [InlineData("evil\0.sh")]
    [InlineData("evil\n.sh")]
    [InlineData("evil ")]
    [InlineData("NUL")]
    public async Task Submit_FileNameThatIsNoPlainName_IsRefused(string name)
    {
        var update = new TestUpdate { CommandId = "names" };
        update = Gateway.Store(update.Script(Scripts.Make(), null, (name, "content")));
        var error = await Gateway.RefusedAsync(update.Submission());
        error.Name.ShouldBe("manifestMalformed");
        error.Context.ShouldContain("fileName");
        Directory.EnumerateFileSystemEntries(Path.Combine(Gateway.Data, "staging")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("../install.sh")]
    [InlineData("./install.sh")]
    [InlineData("/bin/sh")]
    [InlineData("install.sh\0")]
    public async Task Submit_ScriptThatIsNoFileOfTheStep_IsRefused(string name)
    {
        var update = Gateway.Store(
            new TestUpdate { CommandId = "script" }.Script(Scripts.Make(), new() { ["scriptFileName"] = name })
        );
        (await Gateway.RefusedAsync(update.Submission())).Name.ShouldBe("manifestMalformed");
    }

    [Theory]
    [InlineData("..")]
    [InlineData("../../etc/passwd")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("a\0")]
    public async Task Submit_CommandIdThatIsNoPlainName_IsRefused(string id)
    {
        var update = Gateway.Store(new TestUpdate().Script(Scripts.Make()));
        (await Gateway.RefusedAsync(update.Submission() with { CommandId = id })).Context.ShouldBe("commandId");
        var reboot = await Gateway.RefusedAsync(
            HostApi.Reboot,
            new(id, "test"),
            ContractsJson.Default.RebootRequest,
            HttpStatusCode.BadRequest
        );
        reboot.Context.ShouldBe("commandId");
    }

    [Theory]
    [InlineData("/v1/updates/..%2f..%2f..%2fetc%2fpasswd")]
    [InlineData("/v1/updates/%2e%2e/%2e%2e/installed")]
    [InlineData("/v1/reboot/..%2finstalled")]
    [InlineData("/v1/../../etc/passwd")]
    [InlineData("//v1/inventory")]
    public async Task Get_PathTricks_FindNothing(string path)
    {
        using var answer = await Gateway.Verbs.GetAsync(path);
        answer.StatusCode.ShouldBeOneOf(HttpStatusCode.NotFound, HttpStatusCode.BadRequest);
        (await answer.Content.ReadAsStringAsync()).ShouldNotContain("root:");
    }

    [Fact]
    public async Task Submit_StoreThatBecomesALinkAfterItWasAccepted_IsNotFollowed()
    {
        await using var gateway = new TestGateway();
        var gate = gateway.MakeGate();
        await gateway.StartProcessAsync();
        // The first step holds the update after all was staged; nothing of the store is opened again for the second.
        var update = gateway.Store(
            new TestUpdate().Script(Scripts.Make(isInstalled: "read line < \"$EDGEDM_SIMULATED_ROOT/gate\""))
        );
        await gateway.SubmitAsync(update.Submission());
        await using (await gate.ReachedAsync())
        {
            var path = gateway.StoredPath(update.Contents.Keys.Single());
            File.Delete(path);
            File.CreateSymbolicLink(path, "/etc/passwd");
        }
        await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
        gateway.Calls.ShouldBe(["is-installed", "download", "install", "apply"]);
    }

    public sealed class Fixture : IAsyncLifetime
    {
        internal TestGateway Gateway { get; } = new();

        public async ValueTask InitializeAsync() => await Gateway.StartProcessAsync();

        public ValueTask DisposeAsync() => Gateway.DisposeAsync();
    }
}
