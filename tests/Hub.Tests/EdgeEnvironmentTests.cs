using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EdgeDm.Hub.Tests.Servers;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class EdgeEnvironmentTests : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("edgedm-wl-").FullName;
    private readonly FakeWorkload workload;
    private readonly Dictionary<string, string> variables;

    public EdgeEnvironmentTests()
    {
        workload = new(Path.Combine(folder, "w.sock"));
        variables = new()
        {
            ["IOTEDGE_WORKLOADURI"] = $"unix://{folder}/w.sock",
            ["IOTEDGE_AUTHSCHEME"] = "SasToken",
            ["IOTEDGE_MODULEGENERATIONID"] = "gen/1",
            ["IOTEDGE_IOTHUBHOSTNAME"] = "contoso.azure-devices.net",
            ["IOTEDGE_GATEWAYHOSTNAME"] = "127.0.0.1",
            ["IOTEDGE_DEVICEID"] = "gateway",
            ["IOTEDGE_MODULEID"] = "$Module",
            ["IOTEDGE_APIVERSION"] = "2019-01-30",
        };
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await workload.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private ValueTask<HubSessionOptions> ReadAsync() =>
        HubSessionOptions.FromEdgeEnvironmentAsync(variables.GetValueOrDefault);

    [Fact]
    public async Task Read_Runtime_AsksForTheTrustBundle()
    {
        var options = await ReadAsync();
        options.HubHostName.ShouldBe("contoso.azure-devices.net");
        options.GatewayHostName.ShouldBe("127.0.0.1");
        (options.DeviceId, options.ModuleId, options.Port).ShouldBe(("gateway", "$Module", 8883));
        options.HttpsPort.ShouldBe(443);
        options.TrustedRoots!.Count.ShouldBe(1);
        workload.Requests.ShouldBe(["GET /trust-bundle?api-version=2019-01-30"]);
    }

    [Fact]
    public async Task Connect_Runtime_SignsByTheWorkloadApi()
    {
        await using var hub = new ScriptedHub();
        variables["EDGEDM_HUB_PORT"] = $"{hub.Port}";
        var options = await ReadAsync();
        var connecting = IoTHubSession.ConnectAsync(options).AsTask();
        var connection = await hub.WelcomeAsync();
        await using var session = await connecting;
        workload.Requests[^1].ShouldBe("POST /modules/%24Module/genid/gen%2F1/sign?api-version=2019-01-30");
        var token = Encoding.UTF8.GetString(connection.Connect!.Password!.Value.Span);
        var fields = token["SharedAccessSignature ".Length..].Split('&').Select(f => f.Split('=', 2)).ToArray();
        var signed = Encoding.UTF8.GetBytes($"{fields[0][1]}\n{fields[2][1]}");
        Uri.UnescapeDataString(fields[1][1])
            .ShouldBe(Convert.ToBase64String(HMACSHA256.HashData(FakeWorkload.Key, signed)));
    }

    [Theory]
    [InlineData("IOTEDGE_WORKLOADURI")]
    [InlineData("IOTEDGE_AUTHSCHEME")]
    [InlineData("IOTEDGE_MODULEGENERATIONID")]
    [InlineData("IOTEDGE_IOTHUBHOSTNAME")]
    [InlineData("IOTEDGE_DEVICEID")]
    [InlineData("IOTEDGE_MODULEID")]
    public async Task Read_VariableMissing_IsNamed(string variable)
    {
        variables.Remove(variable);
        (await Should.ThrowAsync<EdgeEnvironmentException>(() => ReadAsync().AsTask())).Variable.ShouldBe(variable);
    }

    [Theory]
    [InlineData("IOTEDGE_WORKLOADURI", "ftp://x")]
    [InlineData("IOTEDGE_WORKLOADURI", "w.sock")]
    [InlineData("IOTEDGE_AUTHSCHEME", "x509")]
    [InlineData("EDGEDM_HUB_PORT", "0")]
    [InlineData("EDGEDM_HUB_PORT", "65536")]
    [InlineData("EDGEDM_HUB_PORT", "mqtt")]
    [InlineData("EDGEDM_HUB_HTTPS_PORT", "0")]
    [InlineData("EDGEDM_HUB_HTTPS_PORT", "65536")]
    [InlineData("EdgeHubConnectionString", "HostName=h")]
    [InlineData("EdgeHubConnectionString", "HostName=h;DeviceId=d;ModuleId=m;x509=true")]
    [InlineData("IotHubConnectionString", "HostName=h;DeviceId=a/b;SharedAccessKey=c2VjcmV0")]
    [InlineData("IOTEDGE_DEVICEID", "a/b")]
    [InlineData("IOTEDGE_MODULEID", "a b")]
    [InlineData("IOTEDGE_IOTHUBHOSTNAME", "hub:443")]
    [InlineData("IOTEDGE_GATEWAYHOSTNAME", "gate way")]
    public async Task Read_VariableWrong_IsNamed(string variable, string value)
    {
        variables[variable] = value;
        var error = await Should.ThrowAsync<EdgeEnvironmentException>(() => ReadAsync().AsTask());
        error.Variable.ShouldBe(variable);
        error.IsTransient.ShouldBeFalse();
    }

    [Fact]
    public async Task Read_WithoutGateway_TrustsTheSystemAndAsksNobody()
    {
        variables.Remove("IOTEDGE_GATEWAYHOSTNAME");
        (await ReadAsync()).TrustedRoots.ShouldBeNull();
        workload.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Read_WorkloadApiAway_MayBeTriedAgain()
    {
        variables["IOTEDGE_WORKLOADURI"] = $"unix://{folder}/none.sock";
        var error = await Should.ThrowAsync<WorkloadException>(() => ReadAsync().AsTask());
        error.IsTransient.ShouldBeTrue();
    }

    [Theory]
    [InlineData(403, "{}", false)]
    [InlineData(503, "{}", true)]
    [InlineData(200, "no json", true)]
    [InlineData(200, "{}", true)]
    [InlineData(200, """{"certificate":"no pem"}""", true)]
    public async Task Read_TrustBundleWrong_Fails(int status, string body, bool isTransient)
    {
        workload.Answer = _ => (status, body);
        var error = await Should.ThrowAsync<WorkloadException>(() => ReadAsync().AsTask());
        error.IsTransient.ShouldBe(isTransient);
    }

    [Theory]
    [InlineData("EdgeHubConnectionString")]
    [InlineData("IotHubConnectionString")]
    public async Task Read_ConnectionString_ComesBeforeTheRuntime(string variable)
    {
        var pem = Path.Combine(folder, "ca.pem");
        await File.WriteAllTextAsync(pem, TestAuthority.Default.RootPem);
        variables[variable] = $"HostName=h;GatewayHostName=gw;DeviceId=d;ModuleId=m;SharedAccessKey={ScriptedHub.Key}";
        variables["EdgeModuleCACertificateFile"] = pem;
        variables["EDGEDM_HUB_PORT"] = "18883";
        variables["EDGEDM_HUB_HTTPS_PORT"] = "65535";
        var options = await ReadAsync();
        (options.DeviceId, options.ModuleId, options.GatewayHostName, options.Port).ShouldBe(("d", "m", "gw", 18883));
        options.HttpsPort.ShouldBe(65535);
        options.TrustedRoots!.Count.ShouldBe(1);
        workload.Requests.ShouldBeEmpty();
        HubSessionOptions.ModuleIdFromEdgeEnvironment(variables.GetValueOrDefault).ShouldBe("m");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("no pem")]
    public async Task Read_CertificateFileUnusable_IsNamed(string? content)
    {
        var pem = Path.Combine(folder, "ca.pem");
        if (content is not null)
        {
            await File.WriteAllTextAsync(pem, content);
        }
        variables["EdgeHubConnectionString"] = $"HostName=h;DeviceId=d;ModuleId=m;SharedAccessKey={ScriptedHub.Key}";
        variables["EdgeModuleCACertificateFile"] = pem;
        var error = await Should.ThrowAsync<EdgeEnvironmentException>(() => ReadAsync().AsTask());
        error.Variable.ShouldBe("EdgeModuleCACertificateFile");
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task Read_SocketPathAtItsLimit_IsTakenAndAboveIsNot(int above, bool taken)
    {
        variables["IOTEDGE_WORKLOADURI"] = $"unix:///{new string('w', 107 - 1 + above)}";
        var error = await Record.ExceptionAsync(() => ReadAsync().AsTask());
        // Nobody listens there, which is another error.
        error.ShouldBeOfType(taken ? typeof(WorkloadException) : typeof(EdgeEnvironmentException));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task Read_CertificateFileAtItsLimit_IsTakenAndAboveIsNot(int above, bool taken)
    {
        var pem = Path.Combine(folder, "ca.pem");
        var root = TestAuthority.Default.RootPem;
        await File.WriteAllTextAsync(pem, root + new string('\n', 1024 * 1024 - root.Length + above));
        variables["EdgeHubConnectionString"] = $"HostName=h;DeviceId=d;ModuleId=m;SharedAccessKey={ScriptedHub.Key}";
        variables["EdgeModuleCACertificateFile"] = pem;
        var error = await Record.ExceptionAsync(() => ReadAsync().AsTask());
        (error is null).ShouldBe(taken);
        error?.Message.ShouldContain("EdgeModuleCACertificateFile");
    }

    [Fact]
    public async Task Read_CertificateFileWithSeveral_TrustsThemAll()
    {
        var pem = Path.Combine(folder, "ca.pem");
        await File.WriteAllTextAsync(
            pem,
            TestAuthority.Default.RootPem + "\n# and\n" + new TestAuthority("another root").RootPem
        );
        variables["EdgeHubConnectionString"] = $"HostName=h;DeviceId=d;ModuleId=m;SharedAccessKey={ScriptedHub.Key}";
        variables["EdgeModuleCACertificateFile"] = pem;
        (await ReadAsync()).TrustedRoots!.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task Read_TrustBundleAtItsLimit_IsTakenAndAboveIsNot(int above, bool taken)
    {
        var body = JsonSerializer.Serialize(new { certificate = TestAuthority.Default.RootPem });
        workload.Answer = _ => (200, body + new string(' ', 1024 * 1024 - body.Length + above));
        var error = await Record.ExceptionAsync(() => ReadAsync().AsTask());
        (error is null).ShouldBe(taken);
        error?.ShouldBeOfType<WorkloadException>();
    }

    [Fact]
    public async Task Read_ApiVersionWithOddCharacters_StaysOneValue()
    {
        variables["IOTEDGE_APIVERSION"] = "2019&x=1";
        await ReadAsync();
        workload.Requests.ShouldBe(["GET /trust-bundle?api-version=2019%26x%3D1"]);
    }

    [Fact]
    public async Task Read_WithoutApiVersion_SaysTheOneThatSdksSay()
    {
        variables.Remove("IOTEDGE_APIVERSION");
        await ReadAsync();
        workload.Requests.ShouldBe(["GET /trust-bundle?api-version=2018-06-28"]);
    }

    [Fact]
    public async Task Read_WorkloadApiRefuses_TellsItsMessage()
    {
        workload.Answer = _ => (403, """{"message":"no such module\u0007"}""");
        var error = await Should.ThrowAsync<WorkloadException>(() => ReadAsync().AsTask());
        error.Message.ShouldEndWith("403: no such module");
    }

    [Fact]
    public async Task Read_WorkloadOverTcp_Works()
    {
        await using var relay = new TcpRelay(Path.Combine(folder, "w.sock"));
        variables["IOTEDGE_WORKLOADURI"] = $"http://127.0.0.1:{relay.Port}";
        (await ReadAsync()).TrustedRoots!.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(31)]
    [InlineData(33)]
    public async Task Connect_DigestOfAnotherLength_IsNoSignature(int length)
    {
        var options = await ReadAsync();
        workload.Answer = _ =>
            (200, JsonSerializer.Serialize(new { digest = Convert.ToBase64String(new byte[length]) }));
        await Should.ThrowAsync<WorkloadException>(() => IoTHubSession.ConnectAsync(options).AsTask());
    }

    [Fact]
    public async Task Connect_SignerRefuses_FailsAsCredentialWithoutConnecting()
    {
        var options = (await ReadAsync()) with
        {
            ConnectCallback = (_, _) => throw new InvalidOperationException("must not connect"),
        };
        workload.Answer = _ => (500, """{"message":"no"}""");
        await Should.ThrowAsync<WorkloadException>(() => IoTHubSession.ConnectAsync(options).AsTask());
    }
}
