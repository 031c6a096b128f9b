using System.Runtime.CompilerServices;
using System.Text;

namespace EdgeDm.Updates;

/// <summary>
/// Reads a bundle from front to back; the source needs no seeking. Everything is checked against the manifest as it comes:
/// order, names, sizes, completeness. The content's digest is the consumer's to check, while it stores what it reads; the
/// signature likewise (<see cref="ManifestSignature.Verify"/>), before it uses anything.
/// </summary>
public sealed class UpdateBundleReader
{
    private readonly Stream source;
    private readonly byte[] block = new byte[UstarHeader.BlockSize];
    private bool reading;

    private UpdateBundleReader(Stream source) => this.source = source;

    /// <summary>The signed bytes: the manifest, or the stub of a detached one.</summary>
    public ReadOnlyMemory<byte> ManifestBytes { get; private set; }

    /// <summary>The signature.</summary>
    public string Jws { get; private set; } = "";

    /// <summary>The manifest that was read from <see cref="ManifestBytes"/>.</summary>
    public UpdateManifest Manifest { get; private set; } = null!;

    /// <summary>
    /// Reads the first two members. Throws <c>bundleMalformed</c> or the manifest's own errors; <see cref="EndOfStreamException"/>
    /// when the source ends too early, so that a caller who is still fetching can tell the two apart.
    /// </summary>
    /// <param name="source">Stays the caller's.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<UpdateBundleReader> OpenAsync(Stream source, CancellationToken cancellationToken)
    {
        var reader = new UpdateBundleReader(source);
        reader.ManifestBytes = await reader.ReadMemberAsync(
            UpdateBundle.ManifestName,
            ManifestLimits.MaxManifestBytes,
            cancellationToken
        );
        var jws = await reader.ReadMemberAsync(
            UpdateBundle.SignatureName,
            ManifestSignature.MaxJwsLength,
            cancellationToken
        );
        reader.Jws = Encoding.ASCII.GetString(jws);
        reader.Manifest = UpdateManifest.Parse(reader.ManifestBytes.Span);
        return reader;
    }

    /// <summary>
    /// The files in the bundle's order, a detached manifest first. Once. Each content must be read, or is skipped, before the
    /// next one is asked for. Ends only after every file of the manifest has come; throws <c>bundleMalformed</c> otherwise.
    /// </summary>
    public async IAsyncEnumerable<BundledFile> ReadFilesAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        if (reading)
        {
            throw new InvalidOperationException("A bundle is read once.");
        }
        reading = true;
        var full = Manifest;
        if (Manifest.DetachedManifestFileId is { } detachedId)
        {
            var file = Manifest.Files[detachedId];
            var content = await ReadMemberAsync(file.FileName, ManifestLimits.MaxDetachedFileBytes, cancellationToken);
            full = Manifest.ResolveDetached(content);
            yield return new(file, new MemoryStream(content, writable: false));
        }
        var awaited = UpdateBundle.Members(full).ToDictionary(file => file.FileName, StringComparer.Ordinal);
        while (await ReadHeaderAsync(cancellationToken) is { } header)
        {
            if (!awaited.Remove(header.Name, out var file))
            {
                throw UpdateBundle.Malformed(
                    header.Name,
                    $"'{header.Name}' is in the bundle twice, or the manifest does not name it."
                );
            }
            if (header.Size != file.SizeInBytes)
            {
                throw UpdateBundle.Malformed(
                    header.Name,
                    $"'{header.Name}' has {header.Size} bytes, the manifest says {file.SizeInBytes}."
                );
            }
            var content = new MemberStream(source, header.Size);
            yield return new(file, content);
            await content.SkipAsync(cancellationToken);
            await SkipPaddingAsync(header, cancellationToken);
        }
        if (awaited.Count > 0)
        {
            var missing = awaited.Keys.Order(StringComparer.Ordinal).First();
            throw UpdateBundle.Malformed(missing, $"'{missing}' is missing from the bundle.");
        }
    }

    private async Task<byte[]> ReadMemberAsync(string name, int mostBytes, CancellationToken cancellationToken)
    {
        if (
            await ReadHeaderAsync(cancellationToken) is not { } header
            || header.Name != name
            || header.Size > mostBytes
        )
        {
            throw UpdateBundle.Malformed(name, $"'{name}', of at most {mostBytes} bytes, is not where it must be.");
        }
        var content = new byte[header.Size];
        await source.ReadExactlyAsync(content, cancellationToken);
        await SkipPaddingAsync(header, cancellationToken);
        return content;
    }

    private async Task<UstarHeader?> ReadHeaderAsync(CancellationToken cancellationToken)
    {
        await source.ReadExactlyAsync(block, cancellationToken);
        return UstarHeader.Parse(block);
    }

    private async Task SkipPaddingAsync(UstarHeader header, CancellationToken cancellationToken) =>
        await source.ReadExactlyAsync(block.AsMemory(0, header.Padding), cancellationToken);
}

/// <summary>A file that comes out of a bundle.</summary>
/// <param name="File">What the manifest says about it.</param>
/// <param name="Content">Exactly <see cref="ManifestFile.SizeInBytes"/> bytes, readable until the next file is asked for.</param>
public sealed record BundledFile(ManifestFile File, Stream Content);
