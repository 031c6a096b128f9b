using System.Text;
using EdgeDm.Contracts;
using EdgeDm.Updates;

namespace EdgeDm.Cli;

/// <summary>An update as <c>update create</c> leaves it in a folder: manifest, signature, and the files to serve.</summary>
/// <param name="Folder">Where it is.</param>
/// <param name="ManifestText">The signed text, exactly.</param>
/// <param name="Jws">Its signature.</param>
/// <param name="Manifest">The signed manifest, or the stub of a detached one.</param>
/// <param name="Full">The whole manifest.</param>
internal sealed record PublishedUpdate(
    string Folder,
    string ManifestText,
    string Jws,
    UpdateManifest Manifest,
    UpdateManifest Full
)
{
    public const string ManifestFile = "update.manifest.json";
    public const string SignatureFile = "update.manifest.jws";

    /// <summary>Every file that a gateway fetches: the detached manifest, if there is one, and the update's files.</summary>
    public IEnumerable<ManifestFile> Files =>
        ReferenceEquals(Manifest, Full) ? Full.Files.Values : Manifest.Files.Values.Concat(Full.Files.Values);

    /// <summary>Reads a folder; a message says what is missing or does not fit.</summary>
    public static async Task<PublishedUpdate> LoadAsync(string folder, CancellationToken cancellationToken)
    {
        var manifestPath = Path.Combine(folder, ManifestFile);
        if (!File.Exists(manifestPath))
        {
            throw new CliException(
                ExitCodes.Failed,
                $"'{folder}' holds no {ManifestFile}. Make it with 'edgedm update create'."
            );
        }
        var bytes = await ReadAsync(manifestPath, ManifestLimits.MaxManifestBytes, cancellationToken);
        var jws = await ReadAsync(
            Path.Combine(folder, SignatureFile),
            ManifestSignature.MaxJwsLength,
            cancellationToken
        );
        var manifest = UpdateManifest.Parse(bytes);
        var full = manifest;
        if (manifest.DetachedManifestFileId is { } fileId)
        {
            var file = await ReadAsync(
                Path.Combine(folder, manifest.Files[fileId].FileName),
                ManifestLimits.MaxDetachedFileBytes,
                cancellationToken
            );
            full = manifest.ResolveDetached(file);
        }
        return new(folder, Encoding.UTF8.GetString(bytes), Encoding.UTF8.GetString(jws).Trim(), manifest, full);
    }

    /// <summary>Throws unless every file is there with the size that the manifest names.</summary>
    public void RequireFiles()
    {
        foreach (var file in Files)
        {
            var info = new FileInfo(Path.Combine(Folder, file.FileName));
            if (!info.Exists || info.Length != file.SizeInBytes)
            {
                throw ErrorRegistry.WrongSize.Exception(
                    "edgedm",
                    file.FileName,
                    $"'{info.FullName}' {(info.Exists ? $"has {info.Length} bytes, not {file.SizeInBytes}" : "is missing")}."
                );
            }
        }
    }

    private static async Task<byte[]> ReadAsync(string path, int mostBytes, CancellationToken cancellationToken)
    {
        var length = new FileInfo(path).Length;
        return length <= mostBytes
            ? await File.ReadAllBytesAsync(path, cancellationToken)
            : throw new CliException(
                ExitCodes.Failed,
                $"'{path}' has {length} bytes; at most {mostBytes} are allowed."
            );
    }
}
