using System.Net.Security;
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

    [Fact]
    public async Task Parse_PolicyKey_NamesThePolicyInTheToken()
    {
        var options = HubSessionOptions.FromConnectionString(
            $"HostName=h;DeviceId=d;SharedAccessKeyName=device&1;SharedAccessKey={ScriptedHub.Key}"
        );
        var password = await options.ProveAsync(TestContext.Current.CancellationToken);
        password!.Value.ShouldEndWith("&skn=device%261");
    }

    [Fact]
    public async Task Parse_KeyWithoutPolicy_HasNone()
    {
        var password = await HubSessionOptions
            .FromConnectionString(Good)
            .ProveAsync(TestContext.Current.CancellationToken);
        password!.Value.ShouldNotContain("skn");
    }

    [Fact]
    public void Parse_X509_NeedsNothingButTheCertificate()
    {
        var tls = Certificate();
        var options = HubSessionOptions.FromConnectionString("HostName=h;DeviceId=d;x509=True", tls);
        options.Credential.ShouldBeNull();
        options.Tls.ShouldBeSameAs(tls);
        Should.NotThrow(options.Check);
    }

    [Fact]
    public void Parse_X509False_IsAsIfItWereAbsent() =>
        HubSessionOptions
            .FromConnectionString($"HostName=h;DeviceId=d;x509=false;SharedAccessKey={ScriptedHub.Key}")
            .Credential.ShouldNotBeNull();

    [Fact]
    public void Parse_KeyWithTls_KeepsBoth()
    {
        var tls = new SslClientAuthenticationOptions();
        var options = HubSessionOptions.FromConnectionString(Good, tls);
        options.Tls.ShouldBeSameAs(tls);
        options.Credential.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("HostName=h;DeviceId=d;x509=true", "TLS options with a client certificate")]
    [InlineData("HostName=h;DeviceId=d;x509=1", "x509 is neither true nor false")]
    [InlineData("HostName=h;DeviceId=d;x509=true;SharedAccessKey=c2VjcmV0", "both SharedAccessKey and x509")]
    [InlineData(
        "HostName=h;DeviceId=d;x509=true;SharedAccessSignature=c2VjcmV0",
        "both SharedAccessSignature and x509"
    )]
    [InlineData("HostName=h;DeviceId=d;x509=false", "neither")]
    [InlineData("HostName=h;DeviceId=d;x509=true;X509=true", "twice")]
    public void Parse_X509Wrong_NamesThePart(string text, string part) =>
        Should.Throw<FormatException>(() => HubSessionOptions.FromConnectionString(text)).Message.ShouldContain(part);

    [Fact]
    public void Parse_X509WithTlsThatShowsNoCertificate_IsRefused() =>
        Should.Throw<FormatException>(() =>
            HubSessionOptions.FromConnectionString("HostName=h;DeviceId=d;x509=true", new())
        );

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void Parse_LengthAtItsLimit_IsTakenAndAboveIsNot(int above, bool taken)
    {
        var text = Good + new string(';', 4096 - Good.Length + above);
        var error = Record.Exception(() => HubSessionOptions.FromConnectionString(text));
        (error is null).ShouldBe(taken);
        error?.Message.ShouldContain("4096");
    }

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
    [InlineData("HostName=h/x;DeviceId=d;SharedAccessKey=c2VjcmV0", "HostName 'h/x'")]
    [InlineData("HostName=h;GatewayHostName=a b;DeviceId=d;SharedAccessKey=c2VjcmV0", "GatewayHostName")]
    [InlineData("HostName=h;DeviceId=d/m;SharedAccessKey=c2VjcmV0", "DeviceId")]
    [InlineData("HostName=h;DeviceId=d;ModuleId=m m;SharedAccessKey=c2VjcmV0", "ModuleId")]
    [InlineData("HostName=h;DeviceId=d;SharedAccessKeyName=p", "neither")]
    [InlineData("HostName=h;DeviceId=d;SharedAccessKeyName=p;SharedAccessSignature=x", "SharedAccessKeyName without")]
    [InlineData("HostName=h;DeviceId=d;SharedAccessKey=c2VjcmV0;c2VjcmV0LXRoYXQtd2FzLXRvcm4tYXBhcnQ==", "name=value")]
    [InlineData("HostName=h;DeviceId=d;c2VjcmV0;SharedAccessKey=x", "name=value")]
    public void Parse_Wrong_NamesThePartAndNoSecret(string text, string part)
    {
        var error = Should.Throw<FormatException>(() => HubSessionOptions.FromConnectionString(text));
        error.Message.ShouldContain(part);
        error.ToString().ShouldNotContain("c2VjcmV0");
        error.ToString().ShouldNotContain("n0t!");
    }

    private static SslClientAuthenticationOptions Certificate() =>
        new() { ClientCertificates = [TestAuthority.Default.Server] };
}
