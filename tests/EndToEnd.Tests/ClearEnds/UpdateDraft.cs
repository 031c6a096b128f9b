using System.Buffers.Text;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Updates;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.EndToEnd.Tests.ClearEnds;

/// <summary>A small update before it is published: one can spoil each part of it.</summary>
internal sealed class UpdateDraft
{
    /// <summary>The deployment's and the workflow's id, and the folder of its addresses.</summary>
    public required string Name { get; init; }

    public required string Version { get; set; }

    public required UpdatePublisher Publisher { get; set; }

    public string Model { get; set; } = "Gateway";

    /// <summary>What the first step runs; null = the simulator takes the file as an image, without a reboot.</summary>
    public string? Script { get; set; }

    /// <summary>The file that the update brings.</summary>
    public byte[] Firmware { get; set; } = RandomNumberGenerator.GetBytes(20_000);

    /// <summary>How its server answers; null = well.</summary>
    public RequestDelegate? Server { get; set; }

    /// <summary>Changes the manifest's text before it is signed.</summary>
    public Func<string, string> BeforeSigning { get; set; } = manifest => manifest;

    /// <summary>Changes it afterwards.</summary>
    public Func<string, string> AfterSigning { get; set; } = manifest => manifest;

    /// <summary>Changes the signature.</summary>
    public Func<string, string> Signature { get; set; } = jws => jws;

    /// <summary>Changes the desired group.</summary>
    public Action<JsonObject> Group { get; set; } = _ => { };

    /// <summary>A file's path at the server.</summary>
    public string PathOf(string file) => $"/{Name}/{file}";

    /// <summary>Puts the files on the server and makes the desired group.</summary>
    public JsonObject Publish(TroubledServer server)
    {
        var manifest = BeforeSigning(Manifest());
        var signature = Signature(Publisher.Sign(manifest));
        var urls = new JsonObject();
        foreach (var (file, content) in Files())
        {
            urls[ManifestBuilder.FileIdOf(file)] = server.Url + PathOf(file);
            server.Answer(PathOf(file), server.Serve(content));
        }
        if (Server is not null)
        {
            server.Answer(PathOf("firmware.bin"), Server);
        }
        var group = new JsonObject
        {
            ["__meta"] = new JsonObject { ["deploymentId"] = Name },
            ["updateManifest"] = AfterSigning(manifest),
            ["updateManifestSignature"] = signature,
            ["fileUrls"] = urls,
            ["workflow"] = new JsonObject { ["id"] = Name },
        };
        Group(group);
        return group;
    }

    /// <summary>The signature with another algorithm in its header.</summary>
    /// <param name="jws">The good one.</param>
    /// <param name="algorithm">For example <c>none</c>.</param>
    /// <param name="sign">Makes the new signature over header and payload.</param>
    public static string WithAlgorithm(string jws, string algorithm, Func<byte[], byte[]> sign)
    {
        var parts = jws.Split('.');
        var header = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[0]));
        var changed = header.Replace("\"RS256\"", $"\"{algorithm}\"", StringComparison.Ordinal);
        var text = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(changed))}.{parts[1]}";
        return $"{text}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(text)))}";
    }

    private IEnumerable<(string Name, byte[] Content)> Files() =>
        Script is null
            ? [("firmware.bin", Firmware)]
            : [("install.sh", Encoding.UTF8.GetBytes(Script)), ("firmware.bin", Firmware)];

    private string Manifest()
    {
        var step = Script is null
            ? new StepDescription(
                "edgedm/simulator:1",
                ["firmware.bin"],
                Json($$"""{"firmwareVersion":"{{Version}}","reboot":false}""")
            )
            : new(
                "microsoft/script:1",
                ["install.sh", "firmware.bin"],
                Json("""{"scriptFileName":"install.sh","installedCriteria":"x"}""")
            );
        var built = ManifestBuilder.Build(
            new(
                new("Contoso", "Gateway", Version),
                [
                    ImmutableSortedDictionary<string, string>
                        .Empty.Add("deviceManufacturer", "Contoso")
                        .Add("deviceModel", Model),
                ],
                [step],
                [
                    .. Files()
                        .Select(f => new FileDescription(
                            f.Name,
                            f.Content.Length,
                            Convert.ToHexStringLower(SHA256.HashData(f.Content))
                        )),
                ],
                DateTimeOffset.UtcNow
            )
        );
        return Encoding.UTF8.GetString(built.Attached.Span);
    }

    private static JsonElement Json(string text) => JsonElement.Parse(text);
}
