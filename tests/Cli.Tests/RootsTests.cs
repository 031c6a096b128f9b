using System.Text;
using EdgeDm.Updates;

namespace EdgeDm.Cli.Tests;

/// <summary><c>edgedm roots</c>: what an operator makes and signs, a gateway's own library takes.</summary>
public sealed class RootsTests : IDisposable
{
    private static readonly Lazy<(RootKey Root, SigningKey Signing)> Made = new(() =>
    {
        var root = RootKey.Generate();
        return (root, SigningKey.Generate(root));
    });
    private static readonly Lazy<RootKey> MadeSecond = new(RootKey.Generate);

    private readonly TemporaryFolder folder = new();

    public RootsTests()
    {
        foreach (var (name, key) in new[] { ("first", First), ("second", Second) })
        {
            folder.Write($"{name}.key.pem", key.ToPem(null));
            folder.Write($"{name}.jwk.json", key.PublicJwk + "\n");
        }
        folder.Write("signing.sjwk", Made.Value.Signing.Sjwk + "\n");
    }

    private static RootKey First => Made.Value.Root;

    private static RootKey Second => MadeSecond.Value;

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task CreateThenSign_TwoRoots_IsTakenByAGatewayThatTrustsThem()
    {
        (
            await RunAsync(
                "create",
                "--out",
                folder["1.json"],
                "--root",
                folder["first.jwk.json"],
                "--root",
                folder["second.jwk.json"]
            )
        ).ShouldExitWith(0);
        (await SignAsync("1.json", "first")).ShouldExitWith(0);
        (await SignAsync("1.json", "second")).ShouldExitWith(0).Output.ShouldContain("2 signatures");

        var list = Read("1.json");
        list.Version.ShouldBe(1);
        list.RequireSignedBy(TrustedRoots.Parse([First.PublicJwk, Second.PublicJwk]), null);
    }

    [Fact]
    public async Task Create_FromTheListBefore_KeepsWhatItHasAndDisables()
    {
        await RunAsync("create", "--out", folder["1.json"], "--version", "7", "--root", folder["first.jwk.json"]);
        (
            await RunAsync(
                "create",
                "--out",
                folder["2.json"],
                "--from",
                folder["1.json"],
                "--root",
                folder["second.jwk.json"],
                "--disable-root",
                First.KeyId,
                "--disable-signing-key",
                folder["signing.sjwk"]
            )
        ).ShouldExitWith(0);

        var list = Read("2.json");
        list.Version.ShouldBe(8);
        list.Trust.KeyIds.ShouldBe(new[] { First.KeyId, Second.KeyId }.Order(StringComparer.Ordinal));
        list.Trust.DisabledRootKeys.ShouldBe([First.KeyId]);
        list.Trust.DisabledSigningKeys.ShouldBe([Made.Value.Signing.Fingerprint]);
        list.Trust.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Sign_TheSameKeyAgain_AddsNothing()
    {
        await RunAsync("create", "--out", folder["1.json"], "--root", folder["first.jwk.json"]);
        await SignAsync("1.json", "first");
        (await SignAsync("1.json", "first")).ShouldExitWith(0);
        Read("1.json").SignatureCount.ShouldBe(1);
    }

    [Fact]
    public async Task Show_SignedByAKeyThatItDrops_NamesItWhenGiven()
    {
        await RunAsync("create", "--out", folder["1.json"], "--root", folder["second.jwk.json"]);
        await SignAsync("1.json", "first");
        (await RunAsync("show", folder["1.json"])).ShouldExitWith(0).Output.ShouldContain("none of these keys");
        var shown = await RunAsync("show", folder["1.json"], "--root", folder["first.jwk.json"], "--json");
        shown.ShouldExitWith(0);
        shown.Json["rootKeys"]![0]!.GetValue<string>().ShouldBe(Second.KeyId);
        shown.Json["signedBy"]![0]!.GetValue<string>().ShouldBe(First.KeyId);
    }

    [Fact]
    public async Task Create_NoRootOrVersionNotAbove_IsRefused()
    {
        (await RunAsync("create", "--out", folder["0.json"])).ShouldExitWith(1).Error.ShouldContain("rootKeys");
        await RunAsync("create", "--out", folder["1.json"], "--root", folder["first.jwk.json"]);
        (await RunAsync("create", "--out", folder["2.json"], "--from", folder["1.json"], "--version", "1"))
            .ShouldExitWith(2)
            .Error.ShouldContain("not above 1");
        (await RunAsync("create", "--out", folder["1.json"], "--root", folder["first.jwk.json"]))
            .ShouldExitWith(1)
            .Error.ShouldContain("exists");
        File.Exists(folder["0.json"]).ShouldBeFalse();
    }

    private RootList Read(string name) => RootList.Parse(Encoding.UTF8.GetBytes(File.ReadAllText(folder[name])));

    private Task<EdgeDmResult> SignAsync(string list, string key) =>
        RunAsync("sign", folder[list], "--root-key", folder[$"{key}.key.pem"]);

    private static Task<EdgeDmResult> RunAsync(params string[] args) => EdgeDmProcess.RunAsync(["roots", .. args]);
}
