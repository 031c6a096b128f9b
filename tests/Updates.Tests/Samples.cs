using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.Updates.Tests;

internal static class Samples
{
    public const string DigestOfNothing = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    /// <summary>What Device Update's service publishes for a version 4 script update.</summary>
    public const string DeviceUpdate = """
        {"manifestVersion":"4","updateId":{"provider":"Contoso","name":"Toaster","version":"1.0.0.9"},
         "compatibility":[{"deviceManufacturer":"contoso","deviceModel":"toaster"}],
         "instructions":{"steps":[
           {"handler":"microsoft/script:1","files":["f483750ebb885d32c"],
            "handlerProperties":{"scriptFileName":"install.sh","arguments":"--version 1.0.0.9","installedCriteria":"1.0.0.9"}},
           {"type":"reference","detachedManifestFileId":"fb53a0ab4ecb3b1b9"
            ,"updateId":{"provider":"Contoso","name":"Toaster-child","version":"1.1"}}]},
         "files":{
           "f483750ebb885d32c":{"fileName":"install.sh","sizeInBytes":6,"hashes":{"sha256":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}},
           "fb53a0ab4ecb3b1b9":{"fileName":"child.updatemanifest.json","sizeInBytes":718,"hashes":{"sha256":"2MIldV8LkdKenjJasgTHuYi+apgtNQ9FeL2xsV3ikHY="},
             "properties":{},"downloadHandler":{"id":"microsoft/delta:1"},"relatedFiles":{"x":{"fileName":"delta"}}}},
         "createdDateTime":"2022-01-11T18:35:56.3841867Z"}
        """;

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static UpdateDescription Update(string? description = null, params FileDescription[] files) =>
        new(
            new("Contoso", "Gateway", "2.0.0"),
            [
                ImmutableSortedDictionary.CreateRange(
                    StringComparer.Ordinal,
                    new Dictionary<string, string> { ["deviceManufacturer"] = "Contoso", ["deviceModel"] = "Gateway" }
                ),
            ],
            [
                new(
                    "microsoft/script:1",
                    [.. files.Select(file => file.FileName)],
                    JsonElement.Parse("""{"scriptFileName":"install.sh"}"""),
                    description
                ),
            ],
            [.. files],
            DateTimeOffset.Parse("2026-01-31T12:00:00Z")
        );

    public static FileDescription File(string name, ReadOnlySpan<byte> content) =>
        new(name, content.Length, Convert.ToHexStringLower(SHA256.HashData(content)));

    /// <summary>An update whose manifest, if attached, has exactly this many bytes.</summary>
    public static UpdateDescription UpdateOfBytes(int manifestBytes)
    {
        var one = ManifestBuilder.Build(Update("x", File("install.sh", "x"u8))).Attached.Length;
        // Descriptions end at 1,024 characters; handler properties do not.
        var padding = new string('x', manifestBytes - one - """,{"padding":""}""".Length + """{}""".Length);
        var update = Update("x", File("install.sh", "x"u8));
        return update with
        {
            Steps =
            [
                update.Steps[0] with
                {
                    HandlerProperties = JsonElement.Parse(
                        $$"""{"scriptFileName":"install.sh","padding":"{{padding}}"}"""
                    ),
                },
            ],
        };
    }

    public static ErrorObject Refused(Action action) => Should.Throw<EdgeDmException>(action).Error;
}
