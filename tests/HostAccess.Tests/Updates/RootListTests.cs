using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;
using EdgeDm.Testing;
using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Tests.Updates;

/// <summary>Root lists through HostAccess's own socket: who may replace the keys that this host trusts, and what holds then.</summary>
public sealed class RootListTests
{
    [Fact]
    public async Task Post_SignedByThePresentRoot_ReplacesTheRootsForGood()
    {
        await using var gateway = await StartAsync();
        (await StatusAsync(gateway)).ShouldSatisfyAllConditions(
            status => status.Version.ShouldBe(0),
            status => status.RootKeyIds.ShouldBe([Keys.Root.KeyId])
        );

        var status = await AcceptedAsync(gateway, List(1, [Keys.ForeignRoot]).SignedBy(Keys.Root));

        status.Version.ShouldBe(1);
        status.RootKeyIds.ShouldBe([Keys.ForeignRoot.KeyId]);
        for (var start = 1; start <= 2; start++)
        {
            var update = gateway.Store(new TestUpdate().Firmware("2.0.0", reboot: false));
            (await gateway.RefusedAsync(update.Submission())).Name.ShouldBe("unknownRoot");
            (await VerifyAsync(gateway, update.Submission(Keys.Unknown))).StatusCode.ShouldBe(HttpStatusCode.OK);
            await gateway.StopAsync();
            await gateway.StartAsync();
        }
        gateway.Audit.ShouldContain(line =>
            line.Contains("\"verb\":\"roots\"", StringComparison.Ordinal)
            && line.Contains("\"detail\":\"version 1\"", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Post_SignedByAStrangerOrByNobody_IsRefusedAndChangesNothing()
    {
        await using var gateway = await StartAsync();
        var list = List(1, [Keys.ForeignRoot]);
        (await RefusedAsync(gateway, list)).Name.ShouldBe("rootListNotSigned");
        (await RefusedAsync(gateway, list.SignedBy(Keys.ForeignRoot))).Name.ShouldBe("rootListNotSigned");
        (await StatusAsync(gateway)).Version.ShouldBe(0);
        File.Exists(Record(gateway)).ShouldBeFalse();
        gateway.Audit[^1].ShouldContain("\"error\":\"rootListNotSigned\"");
    }

    [Fact]
    public async Task Post_TwoRootsAllMustSign_OneIsNotEnough()
    {
        await using var gateway = await StartAsync();
        await AcceptedAsync(gateway, List(1, [Keys.Root, Keys.ForeignRoot]).SignedBy(Keys.Root));
        var next = List(2, [Keys.Root]).SignedBy(Keys.Root);
        var error = await RefusedAsync(gateway, next);
        error.Name.ShouldBe("rootListNotSigned");
        error.Subsystem.ShouldBe(Subsystems.HostAccess);
        error.Parameters["needed"].ShouldBe("2");
        (await AcceptedAsync(gateway, next.SignedBy(Keys.ForeignRoot))).Version.ShouldBe(2);
    }

    [Fact]
    public async Task Post_SignaturesConfigured_SoManyDecideAndMustStayPossible()
    {
        await using var gateway = new TestGateway();
        Enable(gateway)["signatures"] = 2;
        Trust(gateway, Keys.Root, Keys.ForeignRoot);
        await gateway.StartAsync();
        var lonely = List(1, [Keys.Root]).SignedBy(Keys.Root).SignedBy(Keys.ForeignRoot);
        (await RefusedAsync(gateway, lonely)).Context.ShouldBe("rootKeys");
        await gateway.StopAsync();

        Enable(gateway)["signatures"] = 1;
        await gateway.StartAsync();
        var status = await AcceptedAsync(gateway, List(1, [Keys.Root]).SignedBy(Keys.ForeignRoot));
        status.RequiredSignatures.ShouldBe(1);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Post_VersionNotAboveTheStored_IsRefused(long version)
    {
        await using var gateway = await StartAsync();
        await AcceptedAsync(gateway, List(5, [Keys.Root]).SignedBy(Keys.Root));
        var older = List(version, [Keys.Root, Keys.ForeignRoot]).SignedBy(Keys.Root);
        (await RefusedAsync(gateway, older, HttpStatusCode.Conflict)).Name.ShouldBe("rootListNotNewer");
        (await StatusAsync(gateway)).RootKeyIds.ShouldBe([Keys.Root.KeyId]);
    }

    [Fact]
    public async Task Post_TheStoredListAgain_IsKnown()
    {
        await using var gateway = await StartAsync();
        var list = List(1, [Keys.ForeignRoot]).SignedBy(Keys.Root);
        await AcceptedAsync(gateway, list);
        (await AcceptedAsync(gateway, list)).Version.ShouldBe(1);
        gateway.Audit[^1].ShouldContain("\"outcome\":\"known\"");
    }

    [Fact]
    public async Task Post_SigningKeyRevoked_ItsUpdatesAreRefused()
    {
        await using var gateway = await StartAsync();
        var update = gateway.Store(new TestUpdate().Firmware("2.0.0", reboot: false));
        (await VerifyAsync(gateway, update.Submission())).StatusCode.ShouldBe(HttpStatusCode.OK);
        await AcceptedAsync(gateway, List(1, [Keys.Root], revoked: Keys.Signing.Fingerprint).SignedBy(Keys.Root));
        (await gateway.RefusedAsync(update.Submission())).Name.ShouldBe("keyRevoked");
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("""{"format":1,"value":{}}""")]
    [InlineData("""{"format":99,"value":{"document":"{}","sha256":""}}""")]
    [InlineData(
        """{"format":1,"value":{"document":"{}","sha256":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}}"""
    )]
    public async Task Start_DamagedRecord_EveryUpdateAndListIsRefusedUntilItIsMended(string damage)
    {
        await using var gateway = await StartAsync();
        var list = List(1, [Keys.Root], revoked: Keys.Signing.Fingerprint).SignedBy(Keys.Root);
        await AcceptedAsync(gateway, list);
        var good = await File.ReadAllBytesAsync(Record(gateway));
        await gateway.StopAsync();
        await File.WriteAllTextAsync(Record(gateway), damage);
        for (var start = 1; start <= 2; start++)
        {
            // Also a second start must not take the absence of the record for a new host.
            await gateway.StartAsync();
            var update = gateway.Store(new TestUpdate().Firmware("2.0.0", reboot: false));
            (await gateway.RefusedAsync(update.Submission(), HttpStatusCode.InternalServerError)).Name.ShouldBe(
                "rootListDamaged"
            );
            (await RefusedAsync(gateway, list, HttpStatusCode.InternalServerError)).Name.ShouldBe("rootListDamaged");
            await gateway.StopAsync();
        }
        gateway.Logs.Text.ShouldContain("every update is refused until it is mended");

        await File.WriteAllBytesAsync(Record(gateway), good);
        await gateway.StartAsync();
        (await StatusAsync(gateway)).Version.ShouldBe(1);
    }

    [Fact]
    public async Task Start_OneByteOfTheRecordChanged_IsNoticed()
    {
        await using var gateway = await StartAsync();
        await AcceptedAsync(gateway, List(1, [Keys.Root], revoked: Keys.Signing.Fingerprint).SignedBy(Keys.Root));
        await gateway.StopAsync();
        var text = await File.ReadAllTextAsync(Record(gateway));
        var fingerprint = Keys.Signing.Fingerprint;
        var other = (fingerprint[0] == 'A' ? 'B' : 'A') + fingerprint[1..];
        await File.WriteAllTextAsync(Record(gateway), text.Replace(fingerprint, other, StringComparison.Ordinal));
        await gateway.StartAsync();
        var update = new TestUpdate().Firmware("2.0.0", reboot: false);
        (await gateway.RefusedAsync(update.Submission(), HttpStatusCode.InternalServerError)).Name.ShouldBe(
            "rootListDamaged"
        );
    }

    [Fact]
    public async Task Post_VerbNotEnabledOrOtherSocket_IsRefused()
    {
        await using var gateway = await new TestGateway().StartAsync();
        var list = List(1, [Keys.ForeignRoot]).SignedBy(Keys.Root);
        (await RefusedAsync(gateway, list, HttpStatusCode.Forbidden)).Name.ShouldBe("verbDisabled");
        using var body = new StringContent("{}");
        using var answer = await gateway.Inventory.PostAsync(HostApi.Roots, body);
        (await TestGateway.ErrorAsync(answer, HttpStatusCode.Forbidden)).Name.ShouldBe("deniedByPolicy");
        (await StatusAsync(gateway)).Version.ShouldBe(0);
    }

    private static async Task<TestGateway> StartAsync()
    {
        var gateway = new TestGateway();
        Enable(gateway);
        return await gateway.StartAsync();
    }

    private static JsonObject Enable(TestGateway gateway)
    {
        var roots = new JsonObject { ["enabled"] = true };
        gateway.Configuration["verbs"]!["roots"] = roots;
        return roots;
    }

    private static void Trust(TestGateway gateway, params RootKey[] roots)
    {
        var names = new JsonArray();
        foreach (var root in roots)
        {
            var name = $"{root.KeyId}.jwk.json";
            File.WriteAllText(Path.Combine(Path.GetDirectoryName(gateway.ConfigurationPath)!, name), root.PublicJwk);
            names.Add(name);
        }
        gateway.Configuration["trustedRoots"] = names;
    }

    private static RootList List(long version, RootKey[] roots, string? revoked = null) =>
        RootList.Create(
            new(
                version,
                DateTimeOffset.UnixEpoch.AddDays(20_000),
                [.. roots.Select(root => root.PublicJwk)],
                [],
                revoked is null ? [] : [revoked]
            )
        );

    private static string Record(TestGateway gateway) => Path.Combine(gateway.Data, "roots.json");

    private static RootListSubmission Submission(RootList list) => new(Encoding.UTF8.GetString(list.ToBytes()));

    private static async Task<RootListStatus> AcceptedAsync(TestGateway gateway, RootList list)
    {
        using var answer = await gateway.PostAsync(
            HostApi.Roots,
            Submission(list),
            ContractsJson.Default.RootListSubmission
        );
        return await TestGateway.ReadAsync(answer, ContractsJson.Default.RootListStatus);
    }

    private static Task<ErrorObject> RefusedAsync(
        TestGateway gateway,
        RootList list,
        HttpStatusCode status = HttpStatusCode.BadRequest
    ) => gateway.RefusedAsync(HostApi.Roots, Submission(list), ContractsJson.Default.RootListSubmission, status);

    private static Task<RootListStatus> StatusAsync(TestGateway gateway) =>
        gateway.GetAsync(HostApi.Roots, ContractsJson.Default.RootListStatus);

    private static Task<HttpResponseMessage> VerifyAsync(TestGateway gateway, UpdateSubmission update) =>
        gateway.PostAsync(
            HostApi.VerifyUpdate,
            new(update.UpdateManifest, update.UpdateManifestSignature),
            ContractsJson.Default.UpdateVerification
        );
}
