using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace EdgeDm.HostAccess.Updates.Handlers.Apt;

/// <summary>The file of an apt step: what to install, as Device Update's apt handler reads it.</summary>
/// <param name="Name">For people.</param>
/// <param name="Version">Likewise.</param>
/// <param name="Packages">In order; at least one.</param>
/// <param name="AgentRestartRequired">Ask for a restart behind it.</param>
internal sealed partial record AptManifest(
    string Name,
    string Version,
    ImmutableArray<AptPackage> Packages,
    bool AgentRestartRequired = false
)
{
    /// <summary>Most bytes of the file.</summary>
    public const int MaxFileBytes = 64 * 1024;

    /// <summary>Most packages.</summary>
    public const int MaxPackages = 256;

    /// <summary>Reads the file. Throws <see cref="FormatException"/> with what is wrong.</summary>
    public static AptManifest Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MaxFileBytes)
            {
                throw new FormatException($"it has more than {MaxFileBytes} bytes");
            }
            var manifest =
                JsonSerializer.Deserialize(File.ReadAllBytes(path), AptManifestJson.Default.AptManifest)
                ?? throw new FormatException("it is null");
            if (manifest.Packages.IsDefault || manifest.Packages.Length is 0 or > MaxPackages)
            {
                throw new FormatException($"it must list 1 to {MaxPackages} packages");
            }
            foreach (var package in manifest.Packages)
            {
                RequireValid(package);
            }
            return manifest;
        }
        catch (JsonException error)
        {
            throw new FormatException($"it is no apt manifest ({error.Path ?? "$"})", error);
        }
    }

    /// <summary>Nothing else of a name or a version reaches apt's command line, where a dash at its end or a star means something.</summary>
    private static void RequireValid(AptPackage? package)
    {
        if (package is null || !NamePattern().IsMatch(package.Name))
        {
            throw new FormatException("a package's name must be Debian's, as in Debian Policy 5.6.1");
        }
        if (package.Version is { } version && !VersionPattern().IsMatch(version))
        {
            throw new FormatException(
                $"the version of package '{package.Name}' must be Debian's, as in Debian Policy 5.6.12"
            );
        }
    }

    [GeneratedRegex(
        @"\A[a-z0-9][a-z0-9+.-]{0,126}[a-z0-9+](:[a-z0-9]{1,32})?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"\A[0-9A-Za-z.+~:-]{1,128}\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex VersionPattern();
}

/// <summary>One package.</summary>
/// <param name="Name">For example <c>contoso-agent</c> or <c>libc6:arm64</c>.</param>
/// <param name="Version">Exactly this one; null = the newest that the host's sources have.</param>
internal sealed record AptPackage(string Name, string? Version = null)
{
    /// <summary>As apt-get takes it.</summary>
    [JsonIgnore]
    public string Target => Version is null ? Name : $"{Name}={Version}";
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true
)]
[JsonSerializable(typeof(AptManifest))]
internal sealed partial class AptManifestJson : JsonSerializerContext;
