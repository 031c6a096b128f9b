using System.Diagnostics;
using System.Text.Json.Nodes;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Tests.Support;
using EdgeDm.Hosting;

namespace EdgeDm.HostAccess.Tests.Configuration;

public sealed class HostAccessConfigurationTests : IDisposable
{
    private const string Least = """{"host":"simulated","simulated":{"folder":"s","manufacturer":"A","model":"B"}}""";

    private readonly string folder = Directory.CreateTempSubdirectory("edh").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Load_OnlyWhatMustBe_AllowsNothingAndRequiresNoNetwork()
    {
        var configuration = Load(Least);
        configuration.RequireNoNetwork.ShouldBeTrue();
        configuration.Verbs.ShouldBe(new(UpdateEnabled: false, RebootEnabled: false, RebootsPerHour: 3));
        configuration.Callers.Verbs.ShouldBe([OwnUser.Id]);
        configuration.Updates.Handlers.ShouldBeEmpty();
        configuration.Health.Deadline.ShouldBe(TimeSpan.FromMinutes(10));
        configuration.Host.ShouldBe(new SimulatedHostOptions(Path.Combine(folder, "s"), "A", "B", "1.0.0", 129));
    }

    [Theory]
    [InlineData("""{"verbs":{"update":{"enable":true}}}""", "'verbs.update.enable' is not known")]
    [InlineData("""{"extra":1}""", "'extra' is not known")]
    [InlineData("""{"host":"windows"}""", "'host' is 'windows'")]
    [InlineData("""{"host":null}""", "'host' is missing")]
    [InlineData("""{"requireNoNetwork":"no"}""", "'requireNoNetwork' must be true or false")]
    [InlineData("""{"simulated":{"folder":"s","manufacturer":"A"}}""", "'simulated.model' is missing")]
    [InlineData(
        """{"simulated":{"folder":"s","manufacturer":"A","model":"B","rebootExitCode":0}}""",
        "'simulated.rebootExitCode' must be a whole number from 1 to 255"
    )]
    [InlineData(
        """{"simulated":{"folder":"s","manufacturer":"A","model":"B","firmwareVersion":"one"}}""",
        "'simulated.firmwareVersion' must be whole numbers"
    )]
    [InlineData("""{"verbs":{"reboot":{"perHour":0}}}""", "'verbs.reboot.perHour' must be a whole number from 1 to 60")]
    [InlineData("""{"verbs":{"reboot":{"perHour":61}}}""", "from 1 to 60")]
    [InlineData("""{"callers":{"verbs":[-1]}}""", "'callers.verbs' must list user ids")]
    [InlineData("""{"updates":{"stepTimeoutSeconds":0}}""", "'updates.stepTimeoutSeconds' must be")]
    [InlineData("""{"updates":{"stepTimeoutSeconds":86401}}""", "from 1 to 86400")]
    [InlineData("""{"updates":{"maxManifestAgeDays":0}}""", "'updates.maxManifestAgeDays' must be")]
    [InlineData("""{"updates":{"allowReinstallOf":["a/b/c"]}}""", "'updates.allowReinstallOf' lists 'a/b/c'")]
    [InlineData("""{"health":{"deadlineSeconds":10,"stableSeconds":10}}""", "'health.stableSeconds' must be below")]
    [InlineData("""{"health":{"watchdogSeconds":3601}}""", "'health.watchdogSeconds'")]
    [InlineData("""{"health":{"requiredModules":["a",1]}}""", "'health.requiredModules' must be a text")]
    [InlineData("""{"trustedRoots":["nowhere.json"]}""", "nowhere.json cannot be read")]
    public void Load_WrongProperty_NamesItsPath(string change, string message)
    {
        var document = JsonNode.Parse(Least)!.AsObject();
        foreach (var (name, value) in JsonNode.Parse(change)!.AsObject().ToList())
        {
            document[name] = value?.DeepClone();
        }
        Should.Throw<MisconfiguredException>(() => Load(document.ToJsonString())).Message.ShouldContain(message);
    }

    [Theory]
    [InlineData("""{"host":"linux"}""", null, null, "/run/dbus/system_bus_socket", false)]
    [InlineData(
        """{"host":"linux","linux":{"manufacturer":"A","model":"B","dbusSocket":"/b","overrideInhibitors":true}}""",
        "A",
        "B",
        "/b",
        true
    )]
    public void Load_LinuxHost_TakesWhatIsThereAndDefaultsForTheRest(
        string text,
        string? manufacturer,
        string? model,
        string socket,
        bool overrides
    ) => Load(text).Host.ShouldBe(new LinuxHostOptions(manufacturer, model, socket, overrides));

    [Theory]
    [InlineData("""{"host":"linux","simulated":{}}""", "'simulated' is not known")]
    [InlineData("""{"host":"linux","linux":{"dbusSocket":"run/bus"}}""", "'linux.dbusSocket' must be an absolute path")]
    [InlineData("""{"host":"linux","linux":{"oops":1}}""", "'linux.oops' is not known")]
    public void Load_LinuxHostWrongly_NamesThePath(string text, string message) =>
        Should.Throw<MisconfiguredException>(() => Load(text)).Message.ShouldContain(message);

    [Theory]
    [InlineData("""{"host":"simulated","host":"linux"}""")]
    [InlineData("""{"host":"simulated" // note""")]
    [InlineData("[]")]
    [InlineData("")]
    public void Load_NoStrictJson_IsRefused(string text) =>
        Should.Throw<MisconfiguredException>(() => Load(text)).Message.ShouldContain("host-access.json");

    [Theory]
    [InlineData(1)]
    [InlineData(86_400)]
    public void Load_StepTimeoutAtItsEdges_IsTaken(int seconds)
    {
        var document = JsonNode.Parse(Least)!.AsObject();
        document["updates"] = new JsonObject { ["stepTimeoutSeconds"] = seconds };
        Load(document.ToJsonString()).Updates.StepTimeout.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Fact]
    public async Task Program_WrongConfiguration_EndsWithTheExitCodeOfMisconfiguration()
    {
        var path = Path.Combine(folder, "host-access.json");
        await File.WriteAllTextAsync(path, """{"host":"simulated","oops":1}""");
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "EdgeDm.HostAccess"))
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        start.Environment["EDGEDM_CONFIG"] = path;
        start.Environment["EDGEDM_DATA"] = folder;
        using var program = Process.Start(start)!;
        var output = await program.StandardOutput.ReadToEndAsync();
        await program.WaitForExitAsync().WaitAsync(TestGateway.Patience);
        program.ExitCode.ShouldBe(ExitCodes.Misconfigured);
        output.ShouldContain("property 'simulated' is missing");
    }

    [Fact]
    public async Task Start_HandlerThatThisHostDoesNotHave_IsRefused()
    {
        await using var gateway = new TestGateway();
        gateway.Configuration["updates"]!["handlers"] = new JsonArray { "microsoft/wim:1" };
        (await Should.ThrowAsync<MisconfiguredException>(gateway.StartAsync)).Message.ShouldContain("microsoft/wim:1");
    }

    private HostAccessConfiguration Load(string text)
    {
        var path = Path.Combine(folder, "host-access.json");
        File.WriteAllText(path, text);
        return HostAccessConfiguration.Load(path);
    }
}
