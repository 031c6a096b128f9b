using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.Testing;
using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Tests.Support;

/// <summary>An update as its maker would write it: manifest, files, signature.</summary>
internal sealed class TestUpdate
{
    private readonly JsonArray steps = [];
    private readonly JsonObject files = [];

    public string Provider { get; init; } = "Contoso";
    public string Name { get; init; } = "Gateway";
    public string Version { get; init; } = "2.0.0";
    public string CommandId { get; init; } = "job-1";
    public DateTimeOffset Created { get; init; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    public JsonArray Compatibility { get; init; } =
    [new JsonObject { ["deviceManufacturer"] = "Contoso", ["deviceModel"] = "Gateway" }];

    /// <summary>Content of the files by their SHA-256.</summary>
    public Dictionary<string, byte[]> Contents { get; } = new(StringComparer.Ordinal);

    public string UpdateIdJson => new UpdateId(Provider, Name, Version).ToJson();

    public TestUpdate Script(
        string script,
        JsonObject? properties = null,
        params (string Name, string Content)[] others
    )
    {
        var names = new JsonArray { AddFile("install.sh", script) };
        foreach (var (name, content) in others)
        {
            names.Add(AddFile(name, content));
        }
        properties ??= [];
        properties["scriptFileName"] ??= "install.sh";
        properties["apiVersion"] ??= "1.1";
        return Step("microsoft/script:1", properties, names);
    }

    public TestUpdate Firmware(string version, bool reboot = true, string failAt = "none", int installSeconds = 0) =>
        Step(
            "edgedm/simulator:1",
            new()
            {
                ["firmwareVersion"] = version,
                ["reboot"] = reboot,
                ["failAt"] = failAt,
                ["installSeconds"] = installSeconds,
            },
            []
        );

    public TestUpdate Step(string handler, JsonObject properties, JsonArray names)
    {
        steps.Add(
            new JsonObject
            {
                ["type"] = "inline",
                ["handler"] = handler,
                ["files"] = names,
                ["handlerProperties"] = properties,
            }
        );
        return this;
    }

    public string AddFile(string name, string content)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        var digest = SHA256.HashData(bytes);
        var id = $"f{files.Count}";
        files[id] = new JsonObject
        {
            ["fileName"] = name,
            ["sizeInBytes"] = bytes.Length,
            ["hashes"] = new JsonObject { ["sha256"] = Convert.ToBase64String(digest) },
        };
        Contents[Convert.ToHexStringLower(digest)] = bytes;
        return id;
    }

    public string Manifest() =>
        new JsonObject
        {
            ["manifestVersion"] = "5",
            ["updateId"] = JsonNode.Parse(UpdateIdJson),
            ["compatibility"] = Compatibility.DeepClone(),
            ["instructions"] = new JsonObject { ["steps"] = steps.DeepClone() },
            ["files"] = files.DeepClone(),
            ["createdDateTime"] = Created.ToString("O"),
        }.ToJsonString();

    /// <summary>The stub that stands for this update; its file is added to <see cref="Contents"/>.</summary>
    public string DetachedManifest()
    {
        var detached = Encoding.UTF8.GetBytes(new JsonObject { ["updateManifest"] = Manifest() }.ToJsonString());
        var digest = SHA256.HashData(detached);
        Contents[Convert.ToHexStringLower(digest)] = detached;
        return new JsonObject
        {
            ["manifestVersion"] = "5",
            ["updateId"] = JsonNode.Parse(UpdateIdJson),
            ["detachedManifestFileId"] = "manifest",
            ["files"] = new JsonObject
            {
                ["manifest"] = new JsonObject
                {
                    ["fileName"] = "manifest.json",
                    ["sizeInBytes"] = detached.Length,
                    ["hashes"] = new JsonObject { ["sha256"] = Convert.ToBase64String(digest) },
                },
            },
        }.ToJsonString();
    }

    public UpdateSubmission Submission(SigningKey? key = null) => Signed(Manifest(), key);

    public UpdateSubmission Signed(string manifest, SigningKey? key = null) =>
        new(CommandId, manifest, ManifestSignature.Sign(Encoding.UTF8.GetBytes(manifest), key ?? Keys.Signing));
}
