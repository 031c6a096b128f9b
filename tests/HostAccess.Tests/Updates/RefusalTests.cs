using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;
using EdgeDm.Testing;

namespace EdgeDm.HostAccess.Tests.Updates;

/// <summary>What HostAccess refuses by itself, whatever any other module has checked. One gateway serves all: nothing may come of any.</summary>
public sealed class RefusalTests(RefusalTests.Fixture fixture) : IClassFixture<RefusalTests.Fixture>
{
    private TestGateway Gateway => fixture.Gateway;

    [Fact]
    public Task Submit_SignedByAKeyOfAnUnknownRoot_IsRefused() =>
        RefusedAsync(Stored(), u => u.Submission(Keys.Unknown), "unknownRoot");

    [Fact]
    public Task Submit_ManifestChangedAfterSigning_IsRefused() =>
        RefusedAsync(
            Stored(),
            u =>
            {
                var signed = u.Submission();
                return signed with
                {
                    UpdateManifest = signed.UpdateManifest.Replace("2.0.0", "2.0.1", StringComparison.Ordinal),
                };
            },
            "manifestTampered"
        );

    [Theory]
    [InlineData("none")]
    [InlineData("HS256")]
    public Task Submit_OtherAlgorithm_IsRefused(string algorithm) =>
        RefusedAsync(
            Stored(),
            u =>
            {
                var signed = u.Submission();
                var parts = signed.UpdateManifestSignature.Split('.');
                var header = JsonNode.Parse(Decode(parts[0]))!;
                header["alg"] = algorithm;
                parts[0] = Encode(header.ToJsonString());
                if (algorithm == "none")
                {
                    parts[2] = "";
                }
                return signed with { UpdateManifestSignature = string.Join('.', parts) };
            },
            algorithm == "none" ? ["signatureAlgorithm", "signatureMalformed"] : ["signatureAlgorithm"]
        );

    [Fact]
    public Task Submit_ManifestVersion3_IsRefused() =>
        RefusedAsync(
            Stored(),
            u =>
                u.Signed(
                    u.Manifest()
                        .Replace("\"manifestVersion\":\"5\"", "\"manifestVersion\":\"3\"", StringComparison.Ordinal)
                ),
            "manifestVersion"
        );

    [Fact]
    public Task Submit_ForAnotherModel_IsRefused() =>
        RefusedAsync(
            Gateway.Store(
                new TestUpdate
                {
                    CommandId = "other-model",
                    Compatibility = [new JsonObject { ["deviceManufacturer"] = "Contoso", ["deviceModel"] = "Other" }],
                }.Firmware("2.0.0")
            ),
            u => u.Submission(),
            "notCompatible"
        );

    [Fact]
    public Task Submit_PropertyThatThisHostDoesNotKnow_IsRefused() =>
        RefusedAsync(
            Gateway.Store(
                new TestUpdate
                {
                    CommandId = "unknown-property",
                    Compatibility = [new JsonObject { ["deviceModel"] = "Gateway", ["ring"] = "1" }],
                }.Firmware("2.0.0")
            ),
            u => u.Submission(),
            "notCompatible"
        );

    [Fact]
    public async Task Verify_NamesInOtherCase_AreTheHosts()
    {
        var update = new TestUpdate
        {
            Compatibility =
            [
                new JsonObject { ["deviceModel"] = "Other" },
                new JsonObject { ["DeviceManufacturer"] = "Contoso", ["devicemodel"] = "Gateway" },
            ],
        }.Firmware("2.0.0");
        var submission = update.Submission();
        using var answer = await Gateway.PostAsync(
            HostApi.VerifyUpdate,
            new(submission.UpdateManifest, submission.UpdateManifestSignature),
            ContractsJson.Default.UpdateVerification
        );
        var verified = await TestGateway.ReadAsync(answer, ContractsJson.Default.VerifiedUpdate);
        verified.UpdateId.ShouldBe(update.UpdateIdJson);
        verified.AlreadyInstalled.ShouldBeFalse();
        verified.Complete.ShouldBeTrue();
    }

    [Theory]
    [InlineData("microsoft/apt:1")]
    [InlineData("microsoft/script:2")]
    public Task Submit_UnknownHandler_IsRefused(string handler) =>
        RefusedAsync(
            new TestUpdate { CommandId = "unknown-handler" }.Step(handler, [], []),
            u => u.Submission(),
            "unknownHandler"
        );

    [Fact]
    public async Task Submit_HandlerThatIsNotAllowed_IsRefused()
    {
        await using var gateway = new TestGateway();
        gateway.Configuration["updates"]!["handlers"] = new JsonArray { "edgedm/simulator:1" };
        await gateway.StartAsync();
        var update = gateway.Store(new TestUpdate().Script(Scripts.Make()));
        (await gateway.RefusedAsync(update.Submission())).Name.ShouldBe("unknownHandler");
    }

    [Fact]
    public Task Submit_ScriptThatIsNoneOfTheFiles_IsRefused() =>
        RefusedAsync(
            Gateway.Store(
                new TestUpdate { CommandId = "no-script" }.Script(
                    Scripts.Make(),
                    new() { ["scriptFileName"] = "../../bin/sh" }
                )
            ),
            u => u.Submission(),
            "manifestMalformed"
        );

    [Fact]
    public Task Submit_FileThatIsNotStored_IsRefusedAndSpendsNoCommandId() =>
        RefusedAsync(
            new TestUpdate { CommandId = "missing" }.Script(Scripts.Make("# never stored")),
            u => u.Submission(),
            "stagedFileMissing"
        );

    [Fact]
    public async Task Submit_SymbolicLinkInTheStore_IsRefused()
    {
        var update = new TestUpdate { CommandId = "link" }.Script(Scripts.Make("# a link"));
        var target = Path.Combine(Gateway.Data, "elsewhere");
        await File.WriteAllBytesAsync(target, update.Contents.Values.Single());
        File.CreateSymbolicLink(Gateway.StoredPath(update.Contents.Keys.Single()), target);
        await RefusedAsync(update, u => u.Submission(), "storeDamaged");
    }

    [Fact]
    public async Task Submit_FolderInThePlaceOfAFile_IsRefused()
    {
        var update = new TestUpdate { CommandId = "folder" }.Script(Scripts.Make("# a folder"));
        Directory.CreateDirectory(Gateway.StoredPath(update.Contents.Keys.Single()));
        await RefusedAsync(update, u => u.Submission(), "storeDamaged");
    }

    [Fact]
    public async Task Submit_PipeInThePlaceOfAFile_IsRefusedAtOnce()
    {
        var update = new TestUpdate { CommandId = "pipe" }.Script(Scripts.Make("# a pipe"));
        _ = new Gate(Gateway.StoredPath(update.Contents.Keys.Single()));
        await RefusedAsync(update, u => u.Submission(), "storeDamaged");
    }

    [Fact]
    public async Task Submit_StoredFileOfAnotherSize_IsRefused()
    {
        var update = Gateway.Store(new TestUpdate { CommandId = "size" }.Script(Scripts.Make("# size")));
        await File.AppendAllTextAsync(Gateway.StoredPath(update.Contents.Keys.Single()), "x");
        await RefusedAsync(update, u => u.Submission(), "wrongSize");
    }

    [Theory]
    [InlineData("")]
    [InlineData("../escape")]
    public async Task Submit_NoCommandId_IsRefused(string id)
    {
        var error = await Gateway.RefusedAsync(Stored().Submission() with { CommandId = id });
        error.Context.ShouldBe("commandId");
    }

    [Fact]
    public async Task Submit_UpdatesDisabled_IsRefused()
    {
        await using var gateway = new TestGateway();
        gateway.Configuration["verbs"]!["update"]!["enabled"] = false;
        await gateway.StartAsync();
        (await gateway.RefusedAsync(Stored().Submission(), HttpStatusCode.Forbidden)).Name.ShouldBe("verbDisabled");
    }

    [Fact]
    public async Task Submit_Refused_LeavesAnAuditLineWithoutTheManifest()
    {
        await Gateway.RefusedAsync(Stored().Submission(Keys.Unknown) with { CommandId = "audited" });
        var line = Gateway.Audit.Last(l => l.Contains("audited", StringComparison.Ordinal));
        line.ShouldContain("\"verb\":\"update.submit\"");
        line.ShouldContain("\"error\":\"unknownRoot\"");
        line.ShouldNotContain("updateId");
        line.ShouldNotContain("handlerProperties");
    }

    private async Task RefusedAsync(
        TestUpdate update,
        Func<TestUpdate, UpdateSubmission> submission,
        params string[] errors
    )
    {
        (await Gateway.RefusedAsync(submission(update))).Name.ShouldBeOneOf(errors);
        using var status = await Gateway.Verbs.GetAsync(HostApi.Update(update.CommandId));
        status.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        Gateway.Calls.ShouldBeEmpty();
    }

    private TestUpdate Stored() => Gateway.Store(new TestUpdate { CommandId = "refused" }.Script(Scripts.Make()));

    private static string Decode(string base64Url) =>
        Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(base64Url));

    private static string Encode(string text) =>
        System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    public sealed class Fixture : IAsyncLifetime
    {
        internal TestGateway Gateway { get; } = new();

        public async ValueTask InitializeAsync() => await Gateway.StartAsync();

        public ValueTask DisposeAsync() => Gateway.DisposeAsync();
    }
}
