using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Testing;
using EdgeDm.Updates;

namespace EdgeDm.EndToEnd.Tests;

/// <summary>An operator who makes and signs updates for the tests' gateway.</summary>
internal sealed class UpdatePublisher
{
    /// <summary>Installs the payload into the simulated host, and says how often it did.</summary>
    public const string GoodScript = """
        #!/bin/sh
        while [ $# -gt 0 ]; do
          case $1 in
            --action-*) action=${1#--action-} ;;
            --work-folder) shift; work=$1 ;;
            --result-file) shift; result=$1 ;;
          esac
          shift
        done
        root=$EDGEDM_SIMULATED_ROOT
        code=700
        case $action in
          is-installed) if cmp -s "$work/firmware.bin" "$root/firmware.bin"; then code=900; else code=901; fi ;;
          download) code=500 ;;
          install) mkdir -p "$root" && cp "$work/firmware.bin" "$root/firmware.bin" && echo installed >>"$root/count"; code=600 ;;
        esac
        printf '{"resultCode":%d,"extendedResultCode":0,"resultDetails":""}' $code >"$result"
        """;

    public const string FailingScript = """
        #!/bin/sh
        case "$*" in
          *--action-is-installed*) code=901 ;;
          *--action-download*) code=500 ;;
          *) exit 7 ;;
        esac
        while [ $# -gt 0 ]; do [ "$1" = --result-file ] && result=$2; shift; done
        printf '{"resultCode":%d,"extendedResultCode":0,"resultDetails":""}' $code >"$result"
        """;

    private static readonly ImmutableSortedDictionary<string, string> Compatibility = ImmutableSortedDictionary<
        string,
        string
    >
        .Empty.Add("deviceManufacturer", "Contoso")
        .Add("deviceModel", "Gateway");

    private readonly RootKey root;
    private readonly SigningKey key;

    private UpdatePublisher(RootKey root, SigningKey key)
    {
        this.root = root;
        this.key = key;
    }

    /// <summary>Whom the tests' gateways trust.</summary>
    public static UpdatePublisher Trusted => new(Keys.Root, Keys.Signing);

    /// <summary>Whom they do not trust at first.</summary>
    public static UpdatePublisher Stranger => new(Keys.ForeignRoot, Keys.Unknown);

    /// <summary>What a gateway must trust.</summary>
    public string RootJwk => root.PublicJwk;

    /// <summary>Publishes an update into a folder and returns the desired group that deploys it.</summary>
    /// <param name="folder">Served at <paramref name="url"/>.</param>
    /// <param name="url">Base address.</param>
    /// <param name="version">Dotted integers.</param>
    /// <param name="script">What the first step runs.</param>
    /// <param name="workflow">The deployment's id.</param>
    /// <param name="payloadBytes">Size of the package.</param>
    /// <param name="reboot">The second step, the simulated host's image, asks for one; null = there is no second step.</param>
    /// <param name="installSeconds">How long that image takes to write.</param>
    public JsonObject Publish(
        string folder,
        string url,
        string version,
        string script,
        string workflow,
        int payloadBytes = 5_000_000,
        bool? reboot = true,
        int installSeconds = 0
    )
    {
        File.WriteAllBytes(Path.Combine(folder, "firmware.bin"), RandomNumberGenerator.GetBytes(payloadBytes));
        File.WriteAllText(Path.Combine(folder, "install.sh"), script);
        var steps = new List<StepDescription>
        {
            Step(
                "microsoft/script:1",
                ["install.sh", "firmware.bin"],
                """{"scriptFileName":"install.sh","installedCriteria":"x"}"""
            ),
        };
        if (reboot is { } asked)
        {
            var word = asked ? "true" : "false";
            steps.Add(
                Step(
                    "edgedm/simulator:1",
                    [],
                    $$"""{"firmwareVersion":"{{version}}","reboot":{{word}},"installSeconds":{{installSeconds}}}"""
                )
            );
        }
        return Publish(folder, url, version, workflow, steps);
    }

    /// <summary>Publishes an update of any steps, whose files lie in the folder, and returns the desired group that deploys it.</summary>
    public JsonObject Publish(
        string folder,
        string url,
        string version,
        string workflow,
        IReadOnlyList<StepDescription> steps
    )
    {
        var built = ManifestBuilder.Build(
            new(
                new UpdateId("Contoso", "Gateway", version),
                [Compatibility],
                [.. steps],
                [
                    .. steps
                        .SelectMany(step => step.FileNames)
                        .Distinct(StringComparer.Ordinal)
                        .Select(name => Describe(folder, name)),
                ],
                DateTimeOffset.UtcNow
            )
        );
        var urls = new JsonObject();
        foreach (var file in built.Full.Files.Values)
        {
            urls[file.FileId] = $"{url}/{file.FileName}";
        }
        var manifest = built.Attached.ToArray();
        return new()
        {
            ["__meta"] = new JsonObject { ["deploymentId"] = workflow },
            ["updateManifest"] = System.Text.Encoding.UTF8.GetString(manifest),
            ["updateManifestSignature"] = ManifestSignature.Sign(manifest, key),
            ["fileUrls"] = urls,
            ["workflow"] = new JsonObject { ["id"] = workflow },
        };
    }

    /// <summary>A step of an update.</summary>
    public static StepDescription Step(string handler, ImmutableArray<string> files, string properties) =>
        new(handler, files, JsonElement.Parse(properties));

    /// <summary>Signs a manifest's exact text.</summary>
    public string Sign(string manifest) => ManifestSignature.Sign(System.Text.Encoding.UTF8.GetBytes(manifest), key);

    /// <summary>Changes the version in a signed manifest from 2.0.0 to 3.0.0.</summary>
    public static void Tamper(JsonObject group) =>
        group["updateManifest"] = ((string)group["updateManifest"]!).Replace(
            "2.0.0",
            "3.0.0",
            StringComparison.Ordinal
        );

    /// <summary>Writes the root's private key as <c>edgedm roots sign</c> reads it.</summary>
    public string WriteRootKey(string folder)
    {
        var file = Path.Combine(folder, "root.key.pem");
        File.WriteAllText(file, root.ToPem(null));
        return file;
    }

    /// <summary>Writes the signing key and its sjwk as <c>edgedm update create</c> reads them.</summary>
    public (string KeyFile, string SjwkFile) WriteKeys(string folder)
    {
        var (keyFile, sjwkFile) = (Path.Combine(folder, "signing.key.pem"), Path.Combine(folder, "signing.sjwk"));
        File.WriteAllText(keyFile, key.ToPem(null));
        File.WriteAllText(sjwkFile, key.Sjwk);
        return (keyFile, sjwkFile);
    }

    private static FileDescription Describe(string folder, string name)
    {
        var content = File.ReadAllBytes(Path.Combine(folder, name));
        return new(name, content.Length, Convert.ToHexStringLower(SHA256.HashData(content)));
    }
}
