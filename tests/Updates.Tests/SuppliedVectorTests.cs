using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;

namespace EdgeDm.Updates.Tests;

/// <summary>
/// Signatures that somebody else made, above all Device Update's service, in a folder that the reader supplies: see
/// docs/testing.md. They are not ours to keep in this repository.
/// </summary>
public sealed class SuppliedVectorTests
{
    private const string Variable = "EDGEDM_VECTORS";
    private const string ManifestSuffix = ".manifest.json";

    [Fact]
    public void Verify_SuppliedManifests_HoldAsTheyAreAndInNoOtherWay()
    {
        var folder = FindFolder();
        var roots = RootsIn(folder);
        var manifests = Directory.GetFiles(folder, $"*{ManifestSuffix}");
        foreach (var path in manifests)
        {
            var manifest = File.ReadAllBytes(path);
            var jws = File.ReadAllText($"{path[..^ManifestSuffix.Length]}.jws").Trim();
            var name = Path.GetFileName(path);
            Samples.Refused(() => ManifestSignature.Verify(manifest, jws, TrustedRoots.None)).Code.ShouldBe(4004, name);
            if (roots.Count > 0)
            {
                var root = roots.Find(trust => IsAccepted(manifest, jws, trust));
                root.ShouldNotBeNull($"{name} was signed below none of the roots supplied");
                manifest[^1] ^= 1;
                Samples.Refused(() => ManifestSignature.Verify(manifest, jws, root)).Code.ShouldBe(4006, name);
                manifest[^1] ^= 1;
            }
            ReadAsOurs(manifest, name);
        }
        manifests.ShouldNotBeEmpty($"{Variable} names a folder without *{ManifestSuffix}");
        TestContext.Current.SendDiagnosticMessage($"{manifests.Length} supplied manifests, {roots.Count} root files");
    }

    [Fact]
    public void RequireSignedBy_SuppliedRootKeyPackages_HoldUnlessChanged()
    {
        var packages = PackagesIn(FindFolder());
        Assert.SkipWhen(packages.Count == 0, $"{Variable} has no root key package below roots/.");
        foreach (var (name, bytes) in packages)
        {
            var list = RootList.Parse(bytes);
            // Device Update demands that every key of a package signed it.
            list.SignersAmong(list.Trust).Count.ShouldBe(list.Trust.Count, name);
            list.RequireSignedBy(list.Trust, null);
            var changed = JsonNode.Parse(bytes)!;
            changed["protected"]!["version"] = list.Version + 1;
            var other = RootList.Parse(Encoding.UTF8.GetBytes(changed.ToJsonString()));
            other.Version.ShouldBe(list.Version + 1);
            Samples.Refused(() => other.RequireSignedBy(list.Trust, 1)).Code.ShouldBe(4013, name);
        }
    }

    private static string FindFolder()
    {
        var folder = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(
            string.IsNullOrEmpty(folder),
            $"{Variable} is not set: no signatures of Device Update's own are tried. docs/testing.md says how to supply them."
        );
        return folder!;
    }

    private static List<TrustedRoots> RootsIn(string folder) =>
        [
            .. FilesIn(folder)
                .Where(file => !IsPackage(file.Bytes))
                .Select(file => TrustedRoots.Parse([Encoding.UTF8.GetString(file.Bytes)])),
            .. PackagesIn(folder).Select(package => RootList.Parse(package.Bytes).Trust),
        ];

    private static List<(string Name, byte[] Bytes)> PackagesIn(string folder) =>
        [.. FilesIn(folder).Where(file => IsPackage(file.Bytes))];

    private static IEnumerable<(string Name, byte[] Bytes)> FilesIn(string folder)
    {
        var roots = Path.Combine(folder, "roots");
        return Directory.Exists(roots)
            ? Directory
                .GetFiles(roots, "*.json")
                .Order(StringComparer.Ordinal)
                .Select(path => (Path.GetFileName(path), File.ReadAllBytes(path)))
            : [];
    }

    private static bool IsPackage(byte[] bytes)
    {
        using var document = JsonDocument.Parse(bytes);
        return document.RootElement.TryGetProperty("protected", out _);
    }

    private static bool IsAccepted(byte[] manifest, string jws, TrustedRoots trust)
    {
        try
        {
            ManifestSignature.Verify(manifest, jws, trust);
            return true;
        }
        catch (EdgeDmException error) when (error.Error.Code == ErrorRegistry.UnknownRoot.Code)
        {
            return false;
        }
    }

    /// <summary>Older manifests are refused for their version and for nothing else.</summary>
    private static void ReadAsOurs(byte[] manifest, string name)
    {
        using var document = JsonDocument.Parse(manifest);
        var version = document.RootElement.GetProperty("manifestVersion").GetString()!.Split('.')[0];
        if (version is "4" or "5")
        {
            UpdateManifest.Parse(manifest).ManifestVersion.ToString().ShouldBe(version, name);
        }
        else
        {
            Samples.Refused(() => UpdateManifest.Parse(manifest)).Code.ShouldBe(4001, name);
        }
    }
}
