using System.Text.Json.Nodes;
using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Tests;

internal static class Samples
{
    public static VerifiedFile File { get; } = new("f1", "firmware.bin", 1000, new string('a', 64));

    public static string UpdateId(string version) =>
        $$"""{"provider":"Contoso","name":"Gateway","version":"{{version}}"}""";

    /// <summary>A desired group; only HostAccess would judge the manifest.</summary>
    public static JsonObject Group(string? workflow = null, string url = "http://127.0.0.1:1/firmware.bin")
    {
        var group = new JsonObject
        {
            ["updateManifest"] = """{"manifestVersion":"5"}""",
            ["updateManifestSignature"] = "a.b.c",
            ["fileUrls"] = new JsonObject { ["f1"] = url },
        };
        if (workflow is not null)
        {
            group["workflow"] = new JsonObject { ["id"] = workflow };
        }
        return group;
    }

    public static string Desired(JsonObject? group) =>
        group is null ? "{}" : new JsonObject { ["firmwareUpdate"] = group.DeepClone() }.ToJsonString();
}
