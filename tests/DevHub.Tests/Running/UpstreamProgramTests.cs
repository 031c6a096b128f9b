using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Certificates;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Tests.Nested;

namespace EdgeDm.DevHub.Tests.Running;

/// <summary>The program as the IoT Hub above somebody else's edgeHub.</summary>
public sealed class UpstreamProgramTests : IDisposable
{
    private const string LastLine = "connection string of the gateway";

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Start_WithADeployment_MakesIdentitiesAndTwinsAndLaunchesNothing()
    {
        using var hub = DevHubProcess.Start(
            folder,
            ["--profile", "iotHub", "--deployment", Deployment("FROM /* INTO $upstream"), "--program", "A=/bin/sh"]
        );
        await hub.WaitUntilReadyAsync(LastLine);

        var variables = await VariablesAsync();
        var edgeHub = Parts(variables["IotHubConnectionString"]);
        edgeHub["ModuleId"].ShouldBe("$edgeHub");
        edgeHub["HostName"].ShouldBe("127.0.0.1");
        variables["UpstreamProtocol"].ShouldBe("Mqtt"); // Its default is AMQP, which this hub has not.
        var device = Parts(
            (await File.ReadAllTextAsync(folder.File("data", "upstream", "device.connection-string"))).Trim()
        );
        device["DeviceId"].ShouldBe("gateway");
        var identities = JsonNode
            .Parse(await File.ReadAllTextAsync(folder.File("data", "identities.json")))!
            .ToJsonString();
        identities.ShouldContain($"\"moduleId\":\"A\"");
        identities.ShouldContain(JsonValue.Create(edgeHub["SharedAccessKey"]).ToJsonString());
        identities.ShouldContain(JsonValue.Create(device["SharedAccessKey"]).ToJsonString());
        var trusted = await File.ReadAllTextAsync(folder.File("data", "upstream", "ca", "root.pem"));
        trusted.ShouldBe(await File.ReadAllTextAsync(folder.File("data", "ca", "root.pem")));
        using var certificate = X509Certificate2.CreateFromPemFile(
            folder.File("data", "upstream", "ca", "server.pem"),
            folder.File("data", "upstream", "ca", "server.key.pem")
        );
        certificate.GetRSAPublicKey().ShouldNotBeNull(); // edgeHub reads no other.
        ServerNames.Of(certificate).All.ShouldContain("edgehub");
        ModeOf("ca/server.key.pem").ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        ModeOf("edgeHub.env").ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        ModeOf("device.connection-string").ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await hub.Output.WaitForAsync("ports 8883 and 443 only"); // This one has any free ones.
        hub.Signal("TERM");
        (await hub.WaitForExitAsync()).ShouldBe(0);
        hub.Output.Lines.ShouldNotContain(line => line.Contains("runs as process", StringComparison.Ordinal));
        Directory.Exists(folder.File("data", "workload")).ShouldBeFalse();
    }

    [Fact]
    public async Task Files_ThatItWrites_AreAllThatAnEdgeHubNeeds()
    {
        using var hub = DevHubProcess.Start(
            folder,
            ["--profile", "iotHub", "--deployment", Deployment("FROM /* INTO $upstream")]
        );
        var ready = await hub.WaitUntilReadyAsync(LastLine);
        var edgeHub = Parts((await VariablesAsync())["IotHubConnectionString"]);
        var device = edgeHub["DeviceId"];
        var resource = $"{edgeHub["HostName"]}/devices/{device}/modules/{edgeHub["ModuleId"]}";
        using var root = X509CertificateLoader.LoadCertificateFromFile(
            folder.File("data", "upstream", "ca", "root.pem")
        );
        using var handler = new SocketsHttpHandler
        {
            SslOptions =
            {
                CertificateChainPolicy = new()
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { root },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            },
        };
        using var http = new HttpClient(handler);
        http.DefaultRequestHeaders.TryAddWithoutValidation(
            "Authorization",
            SasToken.Make(resource, edgeHub["SharedAccessKey"], DateTimeOffset.UtcNow.AddHours(1))
        );

        using var answer = await http.PostAsync(
            $"https://{edgeHub["HostName"]}:{ready.GetProperty("httpsPort")}/devices/{device}/modules/$edgeHub/devicesAndModulesInTargetDeviceScope",
            TestHub.Json($$"""{"pageSize":100,"authChain":"{{device}}"}""")
        );

        EdgeHubPeer.NamesIn(await EdgeHubPeer.ReadAsync(answer)).ShouldContain("gateway/A");
        hub.Signal("TERM");
        (await hub.WaitForExitAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task Deployment_ThatIsWrongWhileItRuns_IsNotFollowed()
    {
        using var hub = DevHubProcess.Start(
            folder,
            ["--profile", "IoTHub", "--deployment", Deployment("FROM /* INTO $upstream")]
        );
        await hub.WaitUntilReadyAsync(LastLine);
        folder.Write("deployment.json", "{\n  \"modulesContent\": 5\n}");
        await hub.Output.WaitForAsync("is not followed: ");
        hub.Signal("TERM");
        (await hub.WaitForExitAsync()).ShouldBe(0);
    }

    [Theory]
    [InlineData("--except A")]
    [InlineData("--host-container box --launch docker")]
    public async Task Start_WithOptionsOfModules_SaysThatNoneIsLaunched(string options)
    {
        using var hub = DevHubProcess.Start(folder, ["--profile", "iotHub", .. options.Split(' ')]);
        (await hub.WaitForExitAsync()).ShouldBe(2);
        await hub.Output.WaitForAsync("launches no module");
    }

    private string Deployment(string route)
    {
        var content = ShellModules.Content([("A", "exec sleep 600")]);
        content["$edgeHub"] = new JsonObject
        {
            ["properties.desired"] = new JsonObject
            {
                ["schemaVersion"] = "1.1",
                ["routes"] = new JsonObject { ["r"] = route },
            },
        };
        return folder.Write("deployment.json", new JsonObject { ["modulesContent"] = content }.ToJsonString());
    }

    private async Task<Dictionary<string, string>> VariablesAsync() =>
        (await File.ReadAllLinesAsync(folder.File("data", "upstream", "edgeHub.env")))
            .Select(line => line.Split('=', 2))
            .ToDictionary(parts => parts[0], parts => parts[1]);

    private UnixFileMode ModeOf(string file) => File.GetUnixFileMode(folder.File("data", "upstream", file));

    private static Dictionary<string, string> Parts(string connectionString) =>
        connectionString.Split(';').Select(part => part.Split('=', 2)).ToDictionary(part => part[0], part => part[1]);
}
