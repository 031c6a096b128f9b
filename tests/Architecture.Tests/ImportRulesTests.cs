using System.Xml.Linq;
using EdgeDm.Testing;

namespace EdgeDm.Architecture.Tests;

/// <summary>Who may import whom. A new project needs a row here, and a reason.</summary>
public sealed class ImportRulesTests
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Contracts"] = [],
        ["Durable"] = [],
        ["Mqtt"] = [],
        ["Hosting"] = [],
        ["Updates"] = ["Contracts"],
        ["Objects"] = ["Contracts"],
        ["Hub"] = ["Mqtt"],
        ["ModuleHost"] = ["Hub", "Hosting", "Durable"],
        ["DeviceManagement"] = ["ModuleHost", "Contracts", "Objects", "Updates"],
        ["FirmwareDownload"] = ["ModuleHost", "Contracts", "Updates"],
        ["Telemetry"] = ["ModuleHost", "Contracts", "Objects"],
        // The privileged part knows no network protocol.
        ["HostAccess"] = ["Hosting", "Durable", "Contracts", "Updates"],
        // No code: it publishes all modules together, and only it sees them all.
        ["Gateway"] = ["DeviceManagement", "FirmwareDownload", "HostAccess", "Telemetry"],
        // The dev hub stands in for edgeHub, which knows nothing of device management.
        ["DevHub"] = ["Mqtt", "Durable", "Hosting"],
        ["Cli"] = ["Contracts", "Updates"],
    };

    public static TheoryData<string> Projects =>
        [.. ProjectFiles().Select(p => Path.GetFileNameWithoutExtension(p)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_ImportsOnlyWhatItMay(string project)
    {
        Allowed.ShouldContainKey(project);

        References(project).ShouldBeSubsetOf(Allowed[project]);
    }

    [Fact]
    public void Rules_NameOnlyProjectsThatExist() =>
        Allowed.Keys.ShouldBeSubsetOf(ProjectFiles().Select(p => Path.GetFileNameWithoutExtension(p)));

    [Fact]
    public void Gateway_PublishesEveryModule()
    {
        var modules = Directory
            .EnumerateFiles(Path.Combine(RepositoryRoot.Path, "modules"), "module.json", SearchOption.AllDirectories)
            .Select(file => Path.GetFileName(Path.GetDirectoryName(file)!))
            .ToList();
        var project = ProjectFiles().Single(p => Path.GetFileNameWithoutExtension(p) == "Gateway");
        var entered = XDocument
            .Load(project)
            .Descendants("TrimmerRootAssembly")
            .Where(root => (string?)root.Attribute("RootMode") == "EntryPoint")
            .Select(root => (string)root.Attribute("Include")!);

        References("Gateway").ShouldBe(modules, ignoreOrder: true);
        // What the trimmer is not told to enter would be cut off, and its program would not start.
        entered.ShouldBe(modules.Select(module => $"EdgeDm.{module}"), ignoreOrder: true);
        Directory.EnumerateFiles(Path.GetDirectoryName(project)!, "*.cs").ShouldBeEmpty();
    }

    [Fact]
    public void Solution_HoldsEveryProject()
    {
        var solution = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "EdgeDm.sln"));
        var all = ProjectFiles()
            .Concat(
                Directory.EnumerateFiles(
                    Path.Combine(RepositoryRoot.Path, "tests"),
                    "*.csproj",
                    SearchOption.AllDirectories
                )
            );

        all.Select(Path.GetFileName).ShouldAllBe(name => solution.Contains(name!, StringComparison.Ordinal));
    }

    private static IEnumerable<string> References(string project)
    {
        var file = ProjectFiles().Single(p => Path.GetFileNameWithoutExtension(p) == project);
        return XDocument
            .Load(file)
            .Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));
    }

    private static IEnumerable<string> ProjectFiles() =>
        Directory.EnumerateFiles(Path.Combine(RepositoryRoot.Path, "modules"), "*.csproj", SearchOption.AllDirectories);
}
