using System.Text.Json.Nodes;
using EdgeDm.DevHub.Deployment;

namespace EdgeDm.DevHub.Tests.Deployment;

public sealed class CreateOptionsReaderTests : IDisposable
{
    private const string Options = """
        {"User":"13601:13601","Env":["A=1","B=x=y","ALONE"],"Labels":{"l":"1"},"Cmd":["--flag"],
         "HostConfig":{"NetworkMode":"none","Binds":["store:/var/lib/store","/etc/edgedm:/etc/edgedm:ro"],
          "Mounts":[{"Type":"volume","Source":"data","Target":"/var/lib/data/"},{"Type":"tmpfs","Target":"/tmp"}]}}
        """;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Read_Object_HasMountsEnvironmentLabelsAndArguments()
    {
        var options = Read(new() { ["createOptions"] = JsonNode.Parse(Options) }).Modules.Single().CreateOptions;

        options.Mounts.ShouldBe([
            new("store", "/var/lib/store"),
            new("/etc/edgedm", "/etc/edgedm"),
            new("data", "/var/lib/data"),
        ]);
        options.Mounts.Select(mount => mount.IsVolume).ShouldBe([true, false, true]);
        options.Env.ShouldBe(new Dictionary<string, string>(StringComparer.Ordinal) { ["A"] = "1", ["B"] = "x=y" });
        options.Labels["l"].ShouldBe("1");
        options.Cmd.ShouldBe(["--flag"]);
        options.Document["User"]!.GetValue<string>().ShouldBe("13601:13601");
    }

    [Theory]
    [InlineData(10_000)]
    [InlineData(100)]
    [InlineData(7)]
    public void Read_TextOrChunks_IsTheSameAsTheObject(int chunk)
    {
        var text = JsonNode.Parse(Options)!.ToJsonString();
        var settings = new JsonObject();
        for (var i = 0; i * chunk < text.Length; i++)
        {
            settings[i == 0 ? "createOptions" : $"createOptions{i:00}"] = text.Substring(
                i * chunk,
                Math.Min(chunk, text.Length - (i * chunk))
            );
        }

        JsonNode
            .DeepEquals(Read(settings).Modules.Single().CreateOptions.Document, JsonNode.Parse(Options))
            .ShouldBeTrue();
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    public void Read_EmptyText_HasNoOptions(string text) =>
        Read(new() { ["createOptions"] = text }).Modules.Single().CreateOptions.Mounts.ShouldBeEmpty();

    [Fact]
    public void Read_Object_StandsInTheContentAsChunksOfALengthThatEdgeAgentTakes()
    {
        var longOptions = new JsonObject { ["Env"] = new JsonArray("LONG=" + new string('x', 1200)) };

        var settings = Read(new() { ["createOptions"] = longOptions.DeepClone() }).ModulesContent["$edgeAgent"]![
            "properties.desired"
        ]!["modules"]!["A"]!["settings"]!.AsObject();

        var chunks = settings
            .Where(pair => pair.Key.StartsWith("createOptions", StringComparison.Ordinal))
            .Select(pair => (pair.Key, Text: pair.Value!.GetValue<string>()))
            .ToArray();
        chunks.Select(chunk => chunk.Key).ShouldBe(["createOptions", "createOptions01", "createOptions02"]);
        chunks.ShouldAllBe(chunk => chunk.Text.Length <= 512);
        JsonNode
            .DeepEquals(JsonNode.Parse(string.Concat(chunks.Select(chunk => chunk.Text))), longOptions)
            .ShouldBeTrue();
    }

    private DeploymentManifest Read(JsonObject settings)
    {
        settings["image"] = "contoso/a:1";
        var manifest = new JsonObject
        {
            ["modulesContent"] = new JsonObject
            {
                ["$edgeAgent"] = new JsonObject
                {
                    ["properties.desired"] = new JsonObject
                    {
                        ["modules"] = new JsonObject
                        {
                            ["A"] = new JsonObject
                            {
                                ["type"] = "docker",
                                ["status"] = "running",
                                ["settings"] = settings,
                            },
                        },
                    },
                },
            },
        };
        var file = folder.Write("deployment.json", manifest.ToJsonString());
        var variables = new TemplateVariables(new Dictionary<string, string>(StringComparer.Ordinal), []);
        return DeploymentReader.Read(file, variables, new ModuleCatalog(folder.Path, variables));
    }
}
