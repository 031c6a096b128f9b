using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Updates;

/// <summary><c>microsoft/swupdate:2</c> and <c>edgedm/swupdate:1</c> through the whole of HostAccess; the client is a stand-in.</summary>
public sealed class SwupdateStepTests
{
    [Fact]
    public async Task Script_GetsTheImage_AndDecidesAsAnyScript()
    {
        await using var gateway = await Gateway().StartAsync();
        var update = new TestUpdate();
        update.Step(
            "microsoft/swupdate:2",
            new()
            {
                ["scriptFileName"] = "install.sh",
                ["swuFileName"] = "image.swu",
                ["apiVersion"] = "1.1",
            },
            [update.AddFile("install.sh", Scripts.Make(apply: "code=705")), update.AddFile("image.swu", "image")]
        );
        await gateway.SubmitAsync(gateway.Store(update).Submission());
        await gateway.RebootAsync();
        var status = await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying);
        status.Steps[0].ResultCode.ShouldBe(705);
        var image = Path.Combine(gateway.Data, "staging", update.CommandId, "step-0", "image.swu");
        (await File.ReadAllLinesAsync(Path.Combine(gateway.HostRoot, "arguments"))).ShouldAllBe(line =>
            line.Contains($" --swu-file {image} --work-folder ", StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("install.sh", null)]
    [InlineData("install.sh", "other.swu")]
    public async Task Script_ImageThatIsNoFileOfTheStep_IsRefused(string script, string? image)
    {
        await using var gateway = await Gateway().StartAsync();
        var update = new TestUpdate();
        update.Step(
            "microsoft/swupdate:2",
            new() { ["scriptFileName"] = script, ["swuFileName"] = image },
            [update.AddFile("install.sh", Scripts.Make())]
        );
        var error = await gateway.RefusedAsync(gateway.Store(update).Submission());
        error.Name.ShouldBe("manifestMalformed");
        error.Context.ShouldContain("swuFileName");
    }

    [Fact]
    public async Task Client_TakesTheImage_AndTheHostRebootsIntoIt()
    {
        await using var gateway = Gateway();
        WriteClient(gateway, "echo \"$@\" > \"$EDGEDM_SIMULATED_ROOT/arguments\"");
        await gateway.StartAsync();
        var update = gateway.Store(Image(new() { ["selection"] = "stable,copy2" }));
        await gateway.SubmitAsync(update.Submission());
        await gateway.RebootAsync();
        (await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying)).Steps[0].ResultCode.ShouldBe(705);
        var image = Path.Combine(gateway.Data, "staging", update.CommandId, "step-0", "image.swu");
        (await File.ReadAllTextAsync(Path.Combine(gateway.HostRoot, "arguments"))).ShouldBe(
            $"-v -e stable,copy2 {image}\n"
        );
    }

    [Fact]
    public async Task Client_RefusesTheImage_FailsWithItsWords()
    {
        await using var gateway = Gateway();
        WriteClient(gateway, "echo 'Image invalid or corrupted'; exit 1");
        await gateway.StartAsync();
        var ended = await gateway.RunAsync(Image([]));
        ended.Error!.Name.ShouldBe("stepFailed");
        ended.Error.Message.ShouldContain("Image invalid or corrupted");
        ended.Steps[0].ExtendedResultCode.ShouldBe(0x30101001);
    }

    [Fact]
    public async Task Client_IsNotOnThisHost_SaysSo()
    {
        await using var gateway = await Gateway().StartAsync();
        var ended = await gateway.RunAsync(Image([]));
        ended.Error!.Message.ShouldContain("this host does not have it");
        ended.Error.Parameters["exitCode"].ShouldBe("203");
    }

    [Theory]
    [InlineData("stable")]
    [InlineData("-x,copy2")]
    [InlineData("a,b,c")]
    public async Task Client_SelectionOfAnotherForm_IsRefused(string selection)
    {
        await using var gateway = await Gateway().StartAsync();
        var update = gateway.Store(Image(new() { ["selection"] = selection }));
        (await gateway.RefusedAsync(update.Submission())).Context.ShouldContain("selection");
    }

    private static TestGateway Gateway()
    {
        var gateway = new TestGateway();
        gateway.Configuration["updates"]!["handlers"] = new JsonArray { "microsoft/swupdate:2", "edgedm/swupdate:1" };
        return gateway;
    }

    private static TestUpdate Image(JsonObject properties)
    {
        var update = new TestUpdate();
        return update.Step("edgedm/swupdate:1", properties, [update.AddFile("image.swu", "image")]);
    }

    private static void WriteClient(TestGateway gateway, string body)
    {
        var folder = Directory.CreateDirectory(Path.Combine(gateway.HostRoot, "usr", "bin")).FullName;
        var path = Path.Combine(folder, "swupdate-client");
        File.WriteAllText(path, $"#!/bin/sh\n{body}\n");
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
    }
}
