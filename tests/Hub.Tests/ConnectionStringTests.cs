using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class ConnectionStringTests
{
    private const string Good =
        "HostName=contoso.azure-devices.net;GatewayHostName=gw;DeviceId=d;ModuleId=m;SharedAccessKey="
        + ScriptedHub.Key;

    [Fact]
    public void Parse_WithGateway_KeepsBothHosts()
    {
        var options = HubSessionOptions.FromConnectionString(Good);
        options.HubHostName.ShouldBe("contoso.azure-devices.net");
        options.GatewayHostName.ShouldBe("gw");
        (options.DeviceId, options.ModuleId, options.Port).ShouldBe(("d", "m", 8883));
    }

    [Fact]
    public void Parse_KeyThatEndsWithEquals_IsKept() =>
        Should.NotThrow(() =>
            HubSessionOptions.FromConnectionString("HostName=h;DeviceId=d;SharedAccessKey=c2VjcmV0MQ==;")
        );

    [Fact]
    public void Parse_OtherCaseAndSpaces_AreUnderstood() =>
        HubSessionOptions
            .FromConnectionString($"hostname=h ; deviceid=d;sharedaccesskey={ScriptedHub.Key}")
            .DeviceId.ShouldBe("d");

    [Fact]
    public void Parse_Token_IsTaken() =>
        HubSessionOptions
            .FromConnectionString(
                "HostName=h;DeviceId=d;SharedAccessSignature=SharedAccessSignature sr=h&sig=x&se=9999999999"
            )
            .ModuleId.ShouldBeNull();

    [Theory]
    [InlineData("", "HostName")]
    [InlineData("DeviceId=d;SharedAccessKey=c2VjcmV0", "HostName")]
    [InlineData("HostName=h;SharedAccessKey=c2VjcmV0", "DeviceId")]
    [InlineData("HostName=h;DeviceId=d", "neither")]
    [InlineData("HostName=h;DeviceId=d;SharedAccessKey=c2VjcmV0;SharedAccessSignature=x", "both")]
    [InlineData("HostName=h;HostName=h;DeviceId=d;SharedAccessKey=c2VjcmV0", "twice")]
    [InlineData("HostName=h;DeviceId=d;Colour=red;SharedAccessKey=c2VjcmV0", "Colour")]
    [InlineData("HostName=h;DeviceId=;SharedAccessKey=c2VjcmV0", "name=value")]
    [InlineData("HostName=h;DeviceId=d;SharedAccessKey", "name=value")]
    [InlineData("HostName=h;DeviceId=d;SharedAccessKey=n0t!base64", "base64")]
    [InlineData("HostName=h;DeviceId=d;SharedAccessSignature=SharedAccessSignature sr=x", "se")]
    public void Parse_Wrong_NamesThePartAndNoSecret(string text, string part)
    {
        var error = Should.Throw<FormatException>(() => HubSessionOptions.FromConnectionString(text));
        error.Message.ShouldContain(part);
        error.ToString().ShouldNotContain("c2VjcmV0");
        error.ToString().ShouldNotContain("n0t!");
    }
}
