using System.Text.Json.Nodes;
using EdgeDm.DevHub.Deployment;

namespace EdgeDm.DevHub.Tests.Deployment;

public sealed class DeploymentReaderTests : IDisposable
{
    private const string Module =
        """{"type":"docker","status":"running","settings":{"image":"contoso/a:1"},"restartPolicy":"always"}""";

    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, string> environment = [];

    public DeploymentReaderTests() =>
        folder.Write(
            "modules/Alpha/module.json",
            """
            {"image":{"repository":"${REGISTRY}/alpha","tag":{"version":"0.1.0","platforms":
              {"amd64":"./Dockerfile.amd64","amd64.debug":"./Dockerfile.amd64.debug","arm64v8":"./Dockerfile.arm64v8"}}}}
            """
        );

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("""{"modulesContent":CONTENT}""")]
    [InlineData("""{"content":{"modulesContent":CONTENT}}""")]
    [InlineData("""{"moduleContent":CONTENT}""")]
    [InlineData("""{"$schema-template":"4.0.0", /* a comment */ "modulesContent":CONTENT}""")]
    public void Read_AnyForm_FindsTheModules(string form)
    {
        var content = "{\"$edgeAgent\":{\"properties.desired\":{\"modules\":{\"A\":" + Module + "}}}}";

        var manifest = Read(form.Replace("CONTENT", content, StringComparison.Ordinal));

        manifest.Modules.Single().Id.ShouldBe("A");
    }

    [Fact]
    public void Read_Module_HasWhatTheManifestSays()
    {
        var module = ReadModule(
            """
            {"type":"docker","status":"stopped","restartPolicy":"on-failure","startupOrder":3,
             "settings":{"image":"contoso/a"},"env":{"TEXT":{"value":"x"},"NUMBER":{"value":7},"FLAG":{"value":true}}}
            """
        );

        module.Image.ShouldBe("contoso/a:latest");
        module.IsWanted.ShouldBeFalse();
        module.RestartPolicy.ShouldBe(RestartPolicy.OnFailure);
        module.StartupOrder.ShouldBe(3u);
        module.Env.ShouldBe(
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["TEXT"] = "x",
                ["NUMBER"] = "7",
                ["FLAG"] = "true",
            }
        );
    }

    [Fact]
    public void Read_ModuleThatSaysLittle_HasEdgeAgentsDefaults()
    {
        var module = ReadModule(
            """{"type":"docker","status":"running","settings":{"image":"registry:5000/a@sha256:00"}}"""
        );

        module.Image.ShouldBe("registry:5000/a@sha256:00");
        module.RestartPolicy.ShouldBe(RestartPolicy.OnUnhealthy);
        module.StartupOrder.ShouldBe(uint.MaxValue);
        module.Env.ShouldBeEmpty();
    }

    [Fact]
    public void Read_Modules_ComeInStartOrder()
    {
        var manifest = Read(
            Manifest(
                """
                {"C":{"type":"docker","status":"running","settings":{"image":"c"},"startupOrder":1},
                 "A":{"type":"docker","status":"running","settings":{"image":"a"}},
                 "B":{"type":"docker","status":"running","settings":{"image":"b"},"startupOrder":1}}
                """
            )
        );

        manifest.Modules.Select(module => module.Id).ShouldBe(["B", "C", "A"]);
    }

    [Theory]
    [InlineData("${MODULES.Alpha}", "contoso.example/alpha:0.1.0-amd64")]
    [InlineData("${MODULES.Alpha.debug}", "contoso.example/alpha:0.1.0-amd64.debug")]
    [InlineData("${MODULES.Alpha.arm64v8}", "contoso.example/alpha:0.1.0-arm64v8")]
    [InlineData("${MODULES.Alpha.amd64.debug}", "contoso.example/alpha:0.1.0-amd64.debug")]
    [InlineData("${MODULEDIR<modules/Alpha>}", "contoso.example/alpha:0.1.0-amd64")]
    [InlineData("${MODULEDIR<./modules/../modules/Alpha>.debug}", "contoso.example/alpha:0.1.0-amd64.debug")]
    [InlineData("${REGISTRY}/other:1", "contoso.example/other:1")]
    [InlineData("${UNKNOWN}/other:1", "${UNKNOWN}/other:1")]
    public void Read_ImageWithPlaceholder_IsExpandedAsIotedgedevDoes(string image, string expected)
    {
        environment["REGISTRY"] = "Contoso.example";

        Image(image).ShouldBe(expected, StringCompareShould.IgnoreCase);
    }

    [Fact]
    public void Read_DefaultPlatformSet_TakesThatImage()
    {
        environment["DEFAULT_PLATFORM"] = "arm64v8";

        Image("${MODULES.Alpha}").ShouldEndWith("-arm64v8");
    }

    [Fact]
    public void Read_EnvFileBesideTheTemplate_GivesValuesAndTheEnvironmentWins()
    {
        folder.Write(".env", "# comment\nexport ONE=\"from file\"\nTWO='two'\nTHREE=three # not a comment\n\nBAD\n");
        environment["TWO"] = "from environment";

        Image("${ONE}|${TWO}|${THREE}:1").ShouldBe("from file|from environment|three # not a comment:1");
    }

    [Fact]
    public void Read_ValueWithQuotes_IsEscapedInsideAString()
    {
        environment["ODD"] = "a \"quoted\" \\ value";

        ReadModule(
            """
            {"type":"docker","status":"running","settings":{"image":"a"},"env":{"V":{"value":"${ODD}"}}}
            """
        )
            .Env["V"]
            .ShouldBe("a \"quoted\" \\ value");
    }

    [Fact]
    public void Read_PlaceholderOutsideAString_IsJson()
    {
        environment["ORDER"] = "5";

        ReadModule("""{"type":"docker","status":"running","settings":{"image":"a"},"startupOrder":${ORDER}}""")
            .StartupOrder.ShouldBe(5u);
    }

    [Fact]
    public void FolderOfImage_AnyPlatform_IsTheModulesFolder()
    {
        environment["REGISTRY"] = "contoso.example";
        var catalog = new ModuleCatalog(folder.Path, Variables());

        catalog.FolderOfImage("contoso.example/alpha:0.1.0-amd64.debug").ShouldBe(folder.File("modules", "Alpha"));
        catalog.FolderOfImage("contoso.example/beta:0.1.0-amd64").ShouldBeNull();
    }

    [Fact]
    public void Desired_OfSections_AreThoseThatTheManifestSets()
    {
        var manifest = Read(
            """
            {"modulesContent":{"$edgeAgent":{"properties.desired":{"modules":{}}},
              "$edgeHub":{"properties.desired":{"routes":{}}},"A":{"properties.desired":{"x":1}},"B":{}}}
            """
        );

        manifest.Desired.Select(section => section.Key).ShouldBe(["$edgeAgent", "$edgeHub", "A"]);
    }

    // Where, in the template as it is written (line:column), and what the reader is told.
    [Theory]
    [InlineData("{\n  \"modulesContent\": {\n    \"$edgeAgent\": 5\n  }\n}", "3:5", "must be an object")]
    [InlineData("{\n  \"a\": 1\n}", "1:1", "no 'modulesContent'")]
    [InlineData("[]", "1:1", "must be a JSON object")]
    [InlineData("{\n  \"a\": ${LONG}oops\n}", "2:15", "no well-formed JSON")]
    [InlineData("{\n  \"a\": 1,\n}", "3:1", "no well-formed JSON")]
    [InlineData("{\n  \"a\": 1,\n  \"a\": 2\n}", "3:3", "stands twice")]
    [InlineData("{\n  \"a\": \"${MODULES.Beta}\"\n}", "2:9", "Modules with a module.json: Alpha")]
    [InlineData("{\n  \"a\": \"${MODULES.Alpha.riscv}\"\n}", "2:9", "has amd64, amd64.debug, arm64v8")]
    [InlineData("{\n  \"a\": \"${MODULEDIR<nowhere>}\"\n}", "2:9", "There is no module.json in")]
    public void Read_WrongTemplate_SaysWhereAndWhat(string text, string place, string what)
    {
        environment["LONG"] = "\"a value that is much longer than its placeholder\"";

        ShouldFail(text, place, what);
    }

    [Theory]
    [InlineData(
        """{"type":"podman","status":"running","settings":{"image":"a"}}""",
        "3:2",
        "'type' must be \"docker\""
    )]
    [InlineData("""{"status":"running","settings":{"image":"a"}}""", "2:1", "'type' must be")]
    [InlineData("""{"type":"docker","status":"on","settings":{"image":"a"}}""", "3:18", "\"running\" or \"stopped\"")]
    [InlineData("""{"type":"docker","status":"running"}""", "2:1", "'settings' is missing")]
    [InlineData("""{"type":"docker","status":"running","settings":{}}""", "3:37", "name of an image")]
    [InlineData("""{"type":"docker","status":"running","settings":{"image":" "}}""", "3:49", "name of an image")]
    [InlineData(
        """{"type":"docker","status":"running","settings":{"image":"a"},"restartPolicy":"sometimes"}""",
        "3:62",
        "\"on-unhealthy\""
    )]
    [InlineData(
        """{"type":"docker","status":"running","settings":{"image":"a"},"startupOrder":-1}""",
        "3:62",
        "whole number from 0"
    )]
    [InlineData(
        """{"type":"docker","status":"running","settings":{"image":"a"},"env":{"X":"y"}}""",
        "3:69",
        "\"X\": { \"value\": \"...\" }"
    )]
    [InlineData(
        """{"type":"docker","status":"running","settings":{"image":"a","createOptions":"{"}}""",
        "3:61",
        "no well-formed JSON"
    )]
    [InlineData(
        """{"type":"docker","status":"running","settings":{"image":"a","createOptions":{"HostConfig":{"Binds":["x"]}}}}""",
        "3:61",
        "source:/target"
    )]
    [InlineData(
        """{"type":"docker","status":"running","settings":{"image":"a","createOptions":{"HostConfig":{"Binds":["x:y"]}}}}""",
        "3:61",
        "absolute path"
    )]
    [InlineData(
        """{"type":"docker","status":"running","settings":{"image":"a","createOptions":{"Labels":["x"]}}}""",
        "3:61",
        "'Labels' must be"
    )]
    public void Read_WrongModule_SaysWhereAndWhat(string module, string place, string what)
    {
        var before = "{\"modulesContent\":{\"$edgeAgent\":{\"properties.desired\":{\"modules\":{\n\"A\":\n";

        // A member that is missing is told at its module, whose name stands in the line above.
        ShouldFail(before + module + "\n}}}}}", place, what);
    }

    [Fact]
    public void Read_Layer_SaysThatItNeedsItsBase() =>
        ShouldFail(
            """{"modulesContent":{"$edgeAgent":{"properties.desired.modules.A":{}}}}""",
            "1:20",
            "This is a layer"
        );

    [Fact]
    public void Read_BadModuleJson_NamesThatFile()
    {
        var file = folder.Write("modules/Beta/module.json", "{\n \"image\": {\n  \"tag\": {}\n }\n}");

        Should
            .Throw<DeploymentException>(() => Image("${MODULES.Beta}"))
            .Message.ShouldStartWith($"{file}:2:2: 'repository' must be a string");
    }

    private string Image(string image) =>
        ReadModule(
            new JsonObject
            {
                ["type"] = "docker",
                ["status"] = "running",
                ["settings"] = new JsonObject { ["image"] = image },
            }.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })
        ).Image;

    private void ShouldFail(string text, string place, string what)
    {
        var file = folder.File("deployment.template.json");
        var error = Should.Throw<DeploymentException>(() => Read(text));
        error.Message.ShouldStartWith($"{file}:{place}: ", Case.Sensitive);
        error.Message.ShouldContain(what);
    }

    private ModuleDeployment ReadModule(string module) => Read(Manifest("{\"A\":" + module + "}")).Modules.Single();

    private static string Manifest(string modules) =>
        "{\"modulesContent\":{\"$edgeAgent\":{\"properties.desired\":{\"modules\":" + modules + "}}}}";

    private DeploymentManifest Read(string text)
    {
        var file = folder.Write("deployment.template.json", text);
        var variables = Variables();
        return DeploymentReader.Read(file, variables, new ModuleCatalog(folder.Path, variables));
    }

    private TemplateVariables Variables() =>
        new(environment, File.Exists(folder.File(".env")) ? File.ReadLines(folder.File(".env")) : []);
}
