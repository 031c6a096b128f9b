using System.Formats.Tar;
using System.Text;
using EdgeDm.Contracts;

namespace EdgeDm.Updates;

/// <summary>
/// One file with a whole update: an uncompressed ustar archive that opens with <see cref="ManifestName"/> and
/// <see cref="SignatureName"/>, so that a reader can refuse it before the payload, then the detached manifest if there is
/// one, then the files under their names. For <c>packageUri</c> and for gateways that are offline.
/// </summary>
public static class UpdateBundle
{
    /// <summary>First member: the signed manifest, or the stub of a detached one.</summary>
    public const string ManifestName = "updateManifest.json";

    /// <summary>Second member: its JWS.</summary>
    public const string SignatureName = "updateManifest.jws";

    /// <summary>The usual end of a bundle's name.</summary>
    public const string Extension = ".edgedm.tar";

    /// <summary>Most bytes of a member's name; ustar's own limit.</summary>
    public const int MaxNameBytes = 100;

    /// <summary>Most bytes of a member: 8 GiB - 1, ustar's own limit.</summary>
    public const long MaxMemberBytes = 0x1_FFFF_FFFF;

    private const UnixFileMode EverybodyReads =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>
    /// Writes a bundle. The same input gives the same bytes. Throws <c>bundleMalformed</c> when a name or a size does not
    /// fit the format, or a file is not as long as the manifest says.
    /// </summary>
    /// <param name="destination">Left open; needs no seeking.</param>
    /// <param name="manifest">What was signed.</param>
    /// <param name="jws">The signature.</param>
    /// <param name="openFile">Opens a file of the full manifest.</param>
    /// <param name="cancellationToken">Ends the writing; the destination is then incomplete.</param>
    public static async Task WriteAsync(
        Stream destination,
        BuiltManifest manifest,
        string jws,
        Func<ManifestFile, Stream> openFile,
        CancellationToken cancellationToken
    )
    {
        foreach (var file in manifest.Full.Files.Values)
        {
            RequireFits(file);
        }
        var time = manifest.Full.CreatedDateTime ?? DateTimeOffset.UnixEpoch;
        await using var tar = new TarWriter(destination, TarEntryFormat.Ustar, leaveOpen: true);
        await WriteBytesAsync(ManifestName, manifest.Attached);
        await WriteBytesAsync(SignatureName, Encoding.ASCII.GetBytes(jws));
        if (manifest.Detached is { } detached)
        {
            await WriteBytesAsync(detached.FileName, detached.Content);
        }
        foreach (var file in Members(manifest.Full))
        {
            await using var content = openFile(file);
            if (content.Length != file.SizeInBytes)
            {
                throw Malformed(
                    file.FileName,
                    $"'{file.FileName}' has {content.Length} bytes, the manifest says {file.SizeInBytes}."
                );
            }
            await WriteAsync(file.FileName, content);
        }

        async Task WriteBytesAsync(string name, ReadOnlyMemory<byte> content)
        {
            await using var stream = new MemoryStream(content.ToArray(), writable: false);
            await WriteAsync(name, stream);
        }

        Task WriteAsync(string name, Stream content) =>
            tar.WriteEntryAsync(
                new UstarTarEntry(TarEntryType.RegularFile, name)
                {
                    DataStream = content,
                    Mode = EverybodyReads,
                    ModificationTime = time,
                },
                cancellationToken
            );
    }

    /// <summary>The files as they follow one another in a bundle: by name; one member for files of the same name and content.</summary>
    internal static IEnumerable<ManifestFile> Members(UpdateManifest full) =>
        full.Files.Values.DistinctBy(file => file.FileName).OrderBy(file => file.FileName, StringComparer.Ordinal);

    internal static EdgeDmException Malformed(string context, string what) =>
        ErrorRegistry.BundleMalformed.Exception(Subsystems.Updates, context, what);

    private static void RequireFits(ManifestFile file)
    {
        if (!Ascii.IsValid(file.FileName) || file.FileName.Length > MaxNameBytes)
        {
            throw Malformed(
                file.FileName,
                $"'{file.FileName}' cannot be in a bundle: names there have at most {MaxNameBytes} ASCII characters."
            );
        }
        if (file.SizeInBytes > MaxMemberBytes)
        {
            throw Malformed(file.FileName, $"'{file.FileName}' is larger than {MaxMemberBytes} bytes.");
        }
        if (file.FileName is ManifestName or SignatureName)
        {
            throw Malformed(file.FileName, $"The name '{file.FileName}' is the bundle's own.");
        }
    }
}
