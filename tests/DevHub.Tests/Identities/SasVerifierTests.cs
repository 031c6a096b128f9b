using System.Net;
using System.Security.Cryptography;
using System.Text;
using EdgeDm.DevHub.Identities;
using EdgeDm.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.DevHub.Tests.Identities;

public sealed class SasVerifierTests : IDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly FakeTimeProvider time = new(DateTimeOffset.FromUnixTimeSeconds(1_800_000_000));
    private readonly IdentityRegistry identities;
    private readonly SasVerifier verifier;
    private readonly Identity module;

    public SasVerifierTests()
    {
        identities = new(folder.Path, "gateway", NullLogger.Instance, time);
        verifier = new(identities, "hub.example", "gate.local", time);
        module = identities.EnsureModule("m");
    }

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Client_TokenOfNode_EncodedOnce_IsLetIn() =>
        Refusal(Sign(Uri.EscapeDataString("hub.example/devices/gateway/modules/m"))).ShouldBeNull();

    [Theory]
    [InlineData("dev:1.2%3+4", "mod%41:x.y")]
    [InlineData("a$b'c(d)", "!*,;=@_#?")]
    public void Client_IdsWithStrangeCharacters_EncodedOnceOrTwice_AreLetIn(string device, string name)
    {
        var strange = identities.Ensure(new(device, name));
        var once = Uri.EscapeDataString($"hub.example/devices/{device}/modules/{name}");
        // C#: each id once more, by WebUtility.
        var twice = WebUtility.UrlEncode(
            $"hub.example/devices/{WebUtility.UrlEncode(device)}/modules/{WebUtility.UrlEncode(name)}"
        );
        Refusal(Sign(once, strange.PrimaryKey), strange.Id).ShouldBeNull();
        Refusal(Sign(twice, strange.PrimaryKey), strange.Id).ShouldBeNull();
    }

    [Theory]
    [InlineData("hub.example%2fdevices%2fgateway%2fmodules%2fm")]
    [InlineData("hub.example%2Fdevices%2Fgateway%2Fmodules%2Fm")]
    [InlineData("hub.example/devices/gateway/modules/m")]
    [InlineData("HUB.EXAMPLE%2fDEVICES%2fGATEWAY%2fMODULES%2fM")]
    [InlineData("gate.local%2Fdevices%2Fgateway%2Fmodules%2Fm")] // Python's audience
    [InlineData("hub.example%3A8443%2Fdevices%2Fgateway%2Fmodules%2Fm")] // our ports
    [InlineData("hub.example%2Fdevices%2Fgateway")] // the device's scope
    public void Client_AudienceInAnyForm_IsLetIn(string raw) => Refusal(Sign(raw)).ShouldBeNull();

    [Fact]
    public void Client_AudienceByTheAddressForContainers_IsLetInWhereThereIsOne()
    {
        var token = Sign("172.18.0.1%2Fdevices%2Fgateway%2Fmodules%2Fm");
        Refusal(token).ShouldBe("its token is for another audience");
        new SasVerifier(identities, "hub.example", "gate.local", time, "172.18.0.1")
            .RefusalOfClient(module.Id, token, out _)
            .ShouldBeNull();
    }

    [Theory]
    [InlineData("other.example%2Fdevices%2Fgateway%2Fmodules%2Fm")]
    [InlineData("hub.example%2Fdevices%2Fgateway%2Fmodules%2Fother")]
    [InlineData("hub.example%2Fdevices%2Felsewhere%2Fmodules%2Fm")]
    [InlineData("hub.example%2Fdevices%2Fgateway%2Fmodules")]
    [InlineData("hub.example%2Fdevices%2Fgateway%2Fmodules%2Fm%2Fmore")]
    [InlineData("hub.example")]
    public void Client_AnotherAudience_IsRefused(string raw) =>
        Refusal(Sign(raw)).ShouldBe("its token is for another audience");

    [Fact]
    public void Client_EachKeyOfModuleAndDevice_IsLetIn()
    {
        var device = identities.Find(new("gateway"))!;
        string[] keys = [module.PrimaryKey, module.SecondaryKey, device.PrimaryKey, device.SecondaryKey];
        keys.Distinct().Count().ShouldBe(4);
        foreach (var key in keys)
        {
            Refusal(Sign("hub.example%2Fdevices%2Fgateway%2Fmodules%2Fm", key)).ShouldBeNull();
        }
    }

    [Fact]
    public void Client_KeyOfAnotherModule_IsRefused() =>
        Refusal(Sign("hub.example%2Fdevices%2Fgateway%2Fmodules%2Fm", identities.EnsureModule("other").PrimaryKey))
            .ShouldBe("its token is signed by another key");

    [Fact]
    public void Client_DeviceWithItsModulesToken_IsRefused() =>
        Refusal(Sign("hub.example%2Fdevices%2Fgateway"), new("gateway")).ShouldBe("its token is signed by another key");

    [Theory]
    [InlineData(-300, null)]
    [InlineData(-301, "its token has expired")]
    public void Client_Expired_IsRefusedFiveMinutesLater(int seconds, string? refusal) =>
        Refusal(
                Sign(
                    "hub.example%2Fdevices%2Fgateway%2Fmodules%2Fm",
                    expiry: time.GetUtcNow().ToUnixTimeSeconds() + seconds
                )
            )
            .ShouldBe(refusal);

    [Fact]
    public void Client_FieldsInAnotherOrderAndCase_IsLetIn()
    {
        var fields = Sign("hub.example%2Fdevices%2Fgateway%2Fmodules%2Fm").Split(' ')[1].Split('&');
        var turned = string.Join('&', fields.Reverse().Select(f => char.ToUpperInvariant(f[0]) + f[1..]));
        Refusal("SharedAccessSignature " + turned).ShouldBeNull();
    }

    [Theory]
    [InlineData("")]
    [InlineData("SharedAccessSignature")]
    [InlineData("SharedAccessSignature sr=x&se=1")]
    [InlineData("SharedAccessSignature sr=x&sig=AA==&se=soon")]
    [InlineData("SharedAccessSignature sr=x&sig=AA%3D%3D&se=99999999999999999999")]
    [InlineData("SharedAccessSignature sr=x&sr=x&sig=AA%3D%3D&se=1")]
    [InlineData("SharedAccessSignature sr=x&sig=not base64!&se=1")]
    [InlineData("Bearer x")]
    public void Client_NoToken_IsRefused(string text) =>
        Refusal(text).ShouldBe("the password is not a shared access signature");

    [Fact]
    public void Service_OwnersToken_IsLetInAndOthersAreNot()
    {
        var end = time.GetUtcNow() + TimeSpan.FromMinutes(1);
        var key = identities.Owner.Key;
        verifier.RefusalOfService(SasToken.Make("hub.example", key, end, "iothubowner")).ShouldBeNull();
        verifier.RefusalOfService(SasToken.Make("hub.example:8443", key, end, "iothubowner")).ShouldBeNull();
        verifier.RefusalOfService(SasToken.Make("hub.example", key, end)).ShouldNotBeNull();
        verifier.RefusalOfService(SasToken.Make("hub.example", key, end, "service")).ShouldNotBeNull();
        verifier.RefusalOfService(SasToken.Make("elsewhere", key, end, "iothubowner")).ShouldNotBeNull();
        verifier
            .RefusalOfService(SasToken.Make("hub.example", module.PrimaryKey, end, "iothubowner"))
            .ShouldNotBeNull();
        verifier
            .RefusalOfService(SasToken.Make("hub.example", key, end - TimeSpan.FromHours(1), "iothubowner"))
            .ShouldNotBeNull();
        verifier.RefusalOfService(null).ShouldNotBeNull();
    }

    [Fact]
    public void Registry_OpenedAgain_HasTheSameKeysInAPrivateFile()
    {
        var again = new IdentityRegistry(folder.Path, "gateway", NullLogger.Instance, time);
        again.Find(module.Id).ShouldBe(module);
        again.Owner.ShouldBe(identities.Owner);
        again.Modules("gateway").Select(m => m.ModuleId).ShouldBe(["$edgeAgent", "$edgeHub", "m"]);
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(folder.File("identities.json"))
                .ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("ä")]
    public void Registry_InvalidId_Throws(string name) =>
        Should.Throw<ArgumentException>(() => identities.EnsureModule(name));

    [Fact]
    public void Registry_LongestId_IsTakenAndOneMoreIsNot()
    {
        identities.EnsureModule(new('m', 128)).ModuleId!.Length.ShouldBe(128);
        Should.Throw<ArgumentException>(() => identities.EnsureModule(new('m', 129)));
    }

    private string? Refusal(string token, HubIdentity? id = null) =>
        verifier.RefusalOfClient(id ?? module.Id, token, out _);

    private string Sign(string raw, string? key = null, long? expiry = null)
    {
        var end = expiry ?? time.GetUtcNow().ToUnixTimeSeconds() + 60;
        var hash = HMACSHA256.HashData(
            Convert.FromBase64String(key ?? module.PrimaryKey),
            Encoding.UTF8.GetBytes($"{raw}\n{end}")
        );
        return $"SharedAccessSignature sr={raw}&sig={Uri.EscapeDataString(Convert.ToBase64String(hash))}&se={end}";
    }
}
