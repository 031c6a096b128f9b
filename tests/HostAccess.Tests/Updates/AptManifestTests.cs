using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.HostAccess.Updates.Handlers.Apt;
using EdgeDm.Updates;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.HostAccess.Tests.Updates;

/// <summary>The file of an apt step, and what apt and dpkg say.</summary>
public sealed class AptManifestTests : IDisposable
{
    private const string Summary = "1 upgraded, 2 newly installed, 1 downgraded, 0 to remove and 5 not upgraded.\n";

    private readonly string folder = Directory.CreateTempSubdirectory("edh").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Read_DeviceUpdatesExample_IsRead()
    {
        var manifest = Read(
            """
            {"name":"contoso-iot-edge","version":"1.2.0.2","agentRestartRequired":true,
             "packages":[{"name":"aziot-edge","version":"1.2.0-1"},{"name":"libstdc++6:arm64"}]}
            """
        );
        manifest.Packages.Select(package => package.Target).ShouldBe(["aziot-edge=1.2.0-1", "libstdc++6:arm64"]);
        manifest.AgentRestartRequired.ShouldBeTrue();
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(AptManifest.MaxPackages, true)]
    [InlineData(0, false)]
    [InlineData(AptManifest.MaxPackages + 1, false)]
    public void Read_Packages_Edge(int count, bool accepted)
    {
        var packages = new JsonArray([
            .. Enumerable.Range(0, count).Select(i => (JsonNode)new JsonObject { ["name"] = $"package{i}" }),
        ]);
        Accepts(
            new JsonObject
            {
                ["name"] = "n",
                ["version"] = "1",
                ["packages"] = packages,
            }.ToJsonString(),
            accepted
        );
    }

    [Theory]
    [InlineData(AptManifest.MaxFileBytes, true)]
    [InlineData(AptManifest.MaxFileBytes + 1, false)]
    public void Read_Bytes_Edge(int length, bool accepted) =>
        Accepts("""{"name":"n","version":"1","packages":[{"name":"one"}]}""".PadRight(length), accepted);

    [Theory]
    [InlineData("""{"name":"n","version":"1"}""")]
    [InlineData("""{"name":"n","version":"1","packages":null}""")]
    [InlineData("""{"name":"n","version":"1","packages":[{}]}""")]
    [InlineData("""{"name":"n","version":"1","packages":[null]}""")]
    [InlineData("""{"name":"n","version":"1","packages":[{"name":"one","version":"1 2"}]}""")]
    [InlineData("""{"name":"n","version":"1","packages":[{"name":"one","version":"1/../2"}]}""")]
    [InlineData("null")]
    [InlineData("[]")]
    public void Read_AnotherForm_IsRefused(string text) => Accepts(text, accepted: false);

    [Theory]
    [InlineData("one\tone:amd64\tinstalled\t1.0\n", true)]
    [InlineData("one\tone:amd64\tinstalled\t1.1\n", false)]
    [InlineData("one\tone:amd64\thalf-configured\t1.0\n", false)]
    [InlineData("one\tone:amd64\tconfig-files\t1.0\n", false)]
    [InlineData("other\tother:amd64\tinstalled\t1.0\n", false)]
    [InlineData("", false)]
    public void IsInstalled_WhatDpkgSays_Decides(string query, bool installed) =>
        AptOutput.IsInstalled(new("n", "1", [new("one", "1.0")]), query).ShouldBe(installed);

    [Theory]
    [InlineData("", null)]
    [InlineData("Reading package lists...\n", null)]
    [InlineData("0 upgraded, 0 newly installed, 0 to remove and 5 not upgraded.\n", null)]
    [InlineData(Summary, 0)]
    [InlineData(Summary + "Get:1 http://x ./ one 1.0 [8 B]\n", 12)]
    [InlineData(Summary + "Get:4 http://x ./ four 1.0 [8 B]\nUnpacking one (1.0) ...\n", 50)]
    [InlineData(Summary + "Unpacking one (1.0) ...\nUnpacking two (1.0) ...\nSetting up one (1.0) ...\n", 62)]
    public void PercentOf_WhatAptHasWritten_GoesByPackages(string output, int? percent) =>
        AptOutput.PercentOf(output).ShouldBe(percent);

    [Fact]
    public void Remember_MoreThanAreKept_ForgetsTheOldest()
    {
        var path = Path.Combine(folder, "apt-installed.json");
        var memory = new AptMemory(path, TimeProvider.System, NullLogger.Instance);
        for (var i = 0; i <= AptMemory.MostCriteria; i++)
        {
            memory.Remember(Step($"c{i}"));
        }
        memory = new(path, TimeProvider.System, NullLogger.Instance);
        memory.Matches(Step("c0")).ShouldBeFalse();
        memory.Matches(Step("c1")).ShouldBeTrue();
        memory.Matches(Step($"c{AptMemory.MostCriteria}")).ShouldBeTrue();
    }

    private static ManifestStep Step(string criteria) =>
        new(
            0,
            "inline",
            "microsoft/apt:1",
            [],
            JsonElement.Parse(new JsonObject { ["installedCriteria"] = criteria }.ToJsonString())
        );

    private AptManifest Read(string text)
    {
        var path = Path.Combine(folder, "apt.json");
        File.WriteAllText(path, text);
        return AptManifest.Read(path);
    }

    private void Accepts(string text, bool accepted)
    {
        if (accepted)
        {
            Read(text);
        }
        else
        {
            Should.Throw<FormatException>(() => Read(text));
        }
    }
}
