using System.Net;
using System.Net.Sockets;

namespace EdgeDm.Cli.Tests;

/// <summary>How every command that talks to a hub finds it, trusts it, and tells its errors.</summary>
public sealed class ServiceTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private FakeHub hub = null!;

    public async ValueTask InitializeAsync()
    {
        hub = await FakeHub.StartAsync();
        hub.On($"GET {FakeHub.Twin}", 200, Documents.Twin());
    }

    public async ValueTask DisposeAsync()
    {
        await hub.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Run_FilesByOptions_ReachesTheHub()
    {
        var file = folder.Write("cs", hub.ConnectionString + "\n");
        var result = await EdgeDmProcess.RunAsync(
            "twin",
            "show",
            "--connection-string-file",
            file,
            "--ca-file",
            hub.CaFile
        );
        result.ShouldExitWith(0);
        hub.Requests.Single().Query.ShouldBe("?api-version=2021-04-12");
    }

    [Fact]
    public async Task Run_FilesAndPortByEnvironment_ReachesTheHub()
    {
        var result = await RunAsync(
            ("EDGEDM_CONNECTION_STRING_FILE", folder.Write("cs", $"HostName=127.0.0.1;{hub.Policy}")),
            ("EDGEDM_HTTPS_PORT", $"{hub.Port}"),
            ("EDGEDM_CA_FILE", hub.CaFile)
        );
        result.ShouldExitWith(0);
    }

    [Fact]
    public async Task Run_DeviceByEnvironmentOrOption_AsksForIt()
    {
        hub.On("GET /twins/plant%207/modules/Telemetry", 200, Documents.Twin());
        (await hub.RunAsync("twin", "show", "--device", "plant 7", "--module", "Telemetry")).ShouldExitWith(0);
        hub.On("GET /twins/other", 200, Documents.Twin());
        var environment = hub.Environment;
        environment["EDGEDM_DEVICE"] = "other";
        (await EdgeDmProcess.RunAsync(environment, "", "twin", "show", "--module", "-")).ShouldExitWith(0);
    }

    [Fact]
    public async Task Run_NoConnectionString_SaysHowToGiveOne() =>
        (await RunAsync()).ShouldExitWith(2).Error.ShouldContain("EDGEDM_CONNECTION_STRING_FILE");

    [Theory]
    [InlineData("HostName=h;SharedAccessKeyName=p;SharedAccessKey=secret!!", "not base64")]
    [InlineData("HostName=h;SharedAccessKey=c2VjcmV0", "SharedAccessKeyName is missing")]
    [InlineData("SharedAccessKeyName=p;SharedAccessKey=c2VjcmV0", "HostName is missing")]
    [InlineData("HostName=h:0;SharedAccessKeyName=p;SharedAccessKey=c2VjcmV0", "port")]
    [InlineData("HostName=h;DeviceId=d;SharedAccessKey=c2VjcmV0", "a device's")]
    [InlineData("secret!!", "not a list")]
    public async Task Run_WrongConnectionString_NamesThePartAndNoSecret(string text, string words)
    {
        var result = await RunAsync(("EDGEDM_CONNECTION_STRING", text));
        result.ShouldExitWith(2).Error.ShouldContain(words);
        result.Error.ShouldNotContain("secret!!");
        result.Error.ShouldNotContain("c2VjcmV0");
    }

    [Fact]
    public async Task Run_NobodyListens_ExitsWith3()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var result = await RunAsync(("EDGEDM_CONNECTION_STRING", $"HostName=127.0.0.1:{port};{hub.Policy}"));
        result.ShouldExitWith(3).Error.ShouldContain($"Cannot reach the hub at 127.0.0.1:{port}");
        result.Error.ShouldNotContain(hub.Key);
    }

    [Fact]
    public async Task Run_CertificateOfAnUnknownCa_ExitsWith3()
    {
        var result = await RunAsync(("EDGEDM_CONNECTION_STRING", hub.ConnectionString));
        result.ShouldExitWith(3).Error.ShouldContain("--ca-file");
        hub.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Run_CertificateForAnotherName_ExitsWith3()
    {
        var result = await RunAsync(
            ("EDGEDM_CONNECTION_STRING", hub.ConnectionString.Replace("127.0.0.1", "127.0.0.2")),
            ("EDGEDM_CA_FILE", hub.CaFile)
        );
        result.ShouldExitWith(3);
        hub.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("no pem", "no certificate")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be read")]
    public async Task Run_WrongCaFile_SaysSo(string content, string words)
    {
        var result = await RunAsync(
            ("EDGEDM_CONNECTION_STRING", hub.ConnectionString),
            ("EDGEDM_CA_FILE", folder.Write("ca.pem", content))
        );
        result.ShouldExitWith(2).Error.ShouldContain(words);
    }

    [Fact]
    public async Task Run_WrongKey_IsRefusedWithTheMend()
    {
        var result = await RunAsync(
            (
                "EDGEDM_CONNECTION_STRING",
                $"HostName=127.0.0.1:{hub.Port};SharedAccessKeyName=iothubowner;SharedAccessKey=c2VjcmV0"
            ),
            ("EDGEDM_CA_FILE", hub.CaFile)
        );
        result.ShouldExitWith(1).Error.ShouldContain("Check the key and the rights of policy 'iothubowner'");
    }

    [Theory]
    [InlineData(
        404,
        "{\"Message\":\"ErrorCode:ModuleNotFound;no such module\"}",
        "ModuleNotFound",
        1,
        "no such module"
    )]
    [InlineData(
        504,
        "{\"Message\":\"{\\\"errorCode\\\":504101,\\\"message\\\":\\\"Timed out\\\"}\"}",
        null,
        4,
        "504101, Timed out"
    )]
    [InlineData(500, "oops", null, 3, "HTTP 500")]
    [InlineData(429, "{}", "ThrottlingException", 1, "too much to do")]
    [InlineData(200, "<html>", null, 1, "did not answer with JSON")]
    [InlineData(200, "[]", null, 1, "has not the form")]
    public async Task Run_ErrorOfTheHub_BecomesItsExitCode(
        int status,
        string body,
        string? code,
        int exitCode,
        string words
    )
    {
        hub.On("GET /twins/gateway/modules/Other", status, body, code);
        var result = await hub.RunAsync("twin", "show", "--module", "Other");
        result.ShouldExitWith(exitCode).Error.ShouldContain(words);
    }

    private static Task<EdgeDmResult> RunAsync(params (string Name, string Value)[] environment) =>
        EdgeDmProcess.RunAsync(environment.ToDictionary(v => v.Name, v => v.Value), "", "twin", "show");
}
