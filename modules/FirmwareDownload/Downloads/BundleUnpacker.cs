using System.Collections.Immutable;
using System.Text;
using EdgeDm.Contracts;
using EdgeDm.FirmwareDownload.Store;
using EdgeDm.Updates;

namespace EdgeDm.FirmwareDownload.Downloads;

/// <summary>
/// Takes a fetched bundle apart into the store: front to back, each file hashed while it is written. Whether the signature
/// is good, HostAccess decides; here each file must be what the bundle's own manifest says.
/// </summary>
internal static class BundleUnpacker
{
    /// <summary>
    /// Unpacks. A bundle that turns out to be bad is removed, so that the next try fetches it anew.
    /// </summary>
    /// <exception cref="EdgeDmException"><c>bundleMalformed</c>, <c>digestMismatch</c>, <c>tooLarge</c>, a manifest's error, or <c>noSpace</c>.</exception>
    public static async Task<UnpackedBundle> UnpackAsync(
        PackageStore store,
        string part,
        DownloadOptions options,
        CancellationToken cancel
    )
    {
        try
        {
            await using var bundle = new FileStream(
                store.PartPath(part),
                new FileStreamOptions { Options = FileOptions.SequentialScan, BufferSize = options.BufferBytes }
            );
            var reader = await UpdateBundleReader.OpenAsync(bundle, cancel);
            var files = ImmutableArray.CreateBuilder<StoredFile>();
            await foreach (var bundled in reader.ReadFilesAsync(cancel))
            {
                if (files.Count >= options.MaxFiles)
                {
                    throw ErrorRegistry.TooLarge.Exception(
                        Subsystems.FirmwareDownload,
                        "bundleUrl",
                        $"The bundle holds more than {options.MaxFiles} files.",
                        ("limit", options.MaxFiles.ToString(System.Globalization.CultureInfo.InvariantCulture))
                    );
                }
                await StoreAsync(store, bundled, cancel);
                files.Add(new(bundled.File.FileId, bundled.File.Sha256, bundled.File.SizeInBytes));
            }
            return new(files.ToImmutable(), Encoding.UTF8.GetString(reader.ManifestBytes.Span), reader.Jws);
        }
        catch (EndOfStreamException)
        {
            store.RemovePart(part);
            throw ErrorRegistry.BundleMalformed.Exception(
                Subsystems.FirmwareDownload,
                "bundleUrl",
                "The bundle ends in the middle of a file."
            );
        }
        catch (EdgeDmException error) when (error.Error.Code != ErrorRegistry.NoSpace.Code)
        {
            store.RemovePart(part);
            throw;
        }
    }

    private static async Task StoreAsync(PackageStore store, BundledFile bundled, CancellationToken cancel)
    {
        var (name, size) = (bundled.File.Sha256, bundled.File.SizeInBytes);
        if (await store.HasIntactAsync(name, size, cancel))
        {
            return;
        }
        string digest;
        using (var part = store.LocalPart(name, size))
        {
            part.Reset();
            part.Reserve();
            int read;
            while ((read = await bundled.Content.ReadAsync(part.Buffer, cancel)) > 0)
            {
                part.Append(part.Buffer.Span[..read]);
            }
            digest = part.Seal();
        }
        store.Accept(name, digest, name, bundled.File.FileId);
    }
}

/// <summary>What came out of a bundle.</summary>
/// <param name="Files">Files that are in the store now.</param>
/// <param name="Manifest">The signed manifest's exact text.</param>
/// <param name="Signature">Its JWS.</param>
internal sealed record UnpackedBundle(ImmutableArray<StoredFile> Files, string Manifest, string Signature);
