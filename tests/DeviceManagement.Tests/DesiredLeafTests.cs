using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using EdgeDm.Contracts;
using EdgeDm.DeviceManagement.Twin;

namespace EdgeDm.DeviceManagement.Tests;

/// <summary>
/// A value of the wrong type at every leaf of every group's desired schema. The leaves are found in the contracts, so a property that
/// is added there without a check here fails.
/// </summary>
public sealed class DesiredLeafTests
{
    private static readonly string[] NoStrings = ["7", "true", "[]", "{}", "[\"x\"]", "[7]", "{\"x\":7}"];
    private static readonly string[] NoObjects = ["7", "true", "[]", "\"x\"", "[{}]"];

    private static readonly string[] NoTextNorParts = ["7", "true", "[]", "{}", "[7]", "[\"\"]", "{\"x\":7}"];

    /// <summary>Leaves by group: a group without an entry here has leaves that nobody tests.</summary>
    private static readonly Dictionary<string, IEnumerable<string>> Schemas = new(StringComparer.Ordinal)
    {
        [TwinNames.FirmwareUpdate] = PathsOf(ContractsJson.Default.FirmwareUpdateDesired),
        [TwinNames.TrustedRoots] = [TrustedRootsNames.RootList],
    };

    public static TheoryData<string, string> Leaves
    {
        get
        {
            var leaves = new TheoryData<string, string>();
            foreach (var (group, paths) in Schemas)
            {
                foreach (var path in paths.Concat(MetaPaths()))
                {
                    leaves.Add(group, path);
                }
            }
            return leaves;
        }
    }

    [Theory]
    [MemberData(nameof(Leaves))]
    public async Task Desired_EveryWrongTypeAtALeaf_FailsNamingThePathAndStartsNothing(string group, string path)
    {
        await using var bench = await ModuleBench.StartAsync();
        var wrongs = path switch
        {
            "fileUrls" or "workflow" or TwinNames.Meta => NoObjects,
            TrustedRootsNames.RootList => NoTextNorParts,
            _ => NoStrings,
        };

        foreach (var wrong in wrongs)
        {
            var desired =
                group == TwinNames.FirmwareUpdate
                    ? Samples.Group(workflow: "w")
                    : new JsonObject { [TrustedRootsNames.RootList] = "{}" };
            Put(desired, path, JsonNode.Parse(wrong)!);
            await bench.Hub.DeliverDesiredAsync(new JsonObject { [group] = desired }.ToJsonString());

            var reported = bench.Hub.Reported[group]!;
            ((string?)reported["__meta"]!["deploymentStatus"]).ShouldBe("failed", $"{path} = {wrong}");
            var error = reported["__errors"]!.AsObject().Single().Value!;
            ((string?)error["parameters"]!["name"]).ShouldBeOneOf("invalidValue", "invalidUrl", "unknownProperty");
            ((string?)error["context"]).ShouldStartWith(path, customMessage: $"{path} = {wrong}");
        }
        Directory.GetFiles(bench.JobsFolder).ShouldBeEmpty();
    }

    [Fact]
    public async Task Schemas_AreThoseOfEveryGroupThatTheDeviceTells()
    {
        await using var bench = await ModuleBench.StartAsync();

        bench.Hub.Reported["__deviceSchemas"]!
            .AsObject()
            .Where(entry => (string?)entry.Value!["type"] == "group")
            .Select(entry => entry.Key)
            .ShouldBe(Schemas.Keys, ignoreOrder: true);
    }

    /// <summary>The schema's properties and those below them, parted by slashes; a map counts with one made-up key.</summary>
    private static IEnumerable<string> PathsOf(JsonTypeInfo schema)
    {
        foreach (var property in schema.Properties)
        {
            yield return property.Name;
            var type = ContractsJson.Default.GetTypeInfo(property.PropertyType);
            var below = type?.Kind switch
            {
                JsonTypeInfoKind.Object => PathsOf(type),
                JsonTypeInfoKind.Dictionary => ["f1"],
                _ => [],
            };
            foreach (var path in below)
            {
                yield return $"{property.Name}/{path}";
            }
        }
    }

    private static IEnumerable<string> MetaPaths() =>
        typeof(DesiredMeta)
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Select(p => $"{TwinNames.Meta}/{JsonNamingPolicy.CamelCase.ConvertName(p.Name)}")
            .Prepend(TwinNames.Meta);

    private static void Put(JsonObject group, string path, JsonNode value)
    {
        var names = path.Split('/');
        var parent = group;
        foreach (var name in names[..^1])
        {
            parent[name] ??= new JsonObject();
            parent = parent[name]!.AsObject();
        }
        parent[names[^1]] = value;
    }
}
