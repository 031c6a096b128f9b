using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.Updates;

namespace EdgeDm.Cli;

/// <summary>Checks a published update as a gateway would.</summary>
internal static class UpdateVerifyHandler
{
    public static async Task<int> RunAsync(
        UpdateVerifyOptions options,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var roots = TrustedRoots.Parse(options.RootFiles.Select(file => File.ReadAllText(file)));
        var (signer, manifest) = Directory.Exists(options.Update)
            ? await VerifyFolderAsync(options.Update, roots, context.Terminal, cancellationToken)
            : await VerifyBundleAsync(options.Update, roots, cancellationToken);
        context.Terminal.Result(
            () =>
                new JsonObject
                {
                    ["updateId"] = JsonText.Parse(manifest.UpdateId.ToJson(), "updateId"),
                    ["rootKeyId"] = signer.RootKeyId,
                    ["signingKeyId"] = signer.SigningKeyId,
                },
            words =>
            {
                words.Say($"update  {manifest.UpdateId.Provider}/{manifest.UpdateId.Name} {manifest.UpdateId.Version}");
                words.Say($"signed  {signer.SigningKeyId}, issued by {signer.RootKeyId}");
                words.Say("Signature and files are good.");
            }
        );
        return ExitCodes.Done;
    }

    private static async Task<(ManifestSigner, UpdateManifest)> VerifyFolderAsync(
        string folder,
        TrustedRoots roots,
        Terminal terminal,
        CancellationToken cancellationToken
    )
    {
        var update = await PublishedUpdate.LoadAsync(folder, cancellationToken);
        var signer = ManifestSignature.Verify(Encoding.UTF8.GetBytes(update.ManifestText), update.Jws, roots);
        update.RequireFiles();
        var expected = update.Files.ToList();
        var hashed = await FileHashing.HashAsync(
            [.. expected.Select(file => new FileInfo(Path.Combine(folder, file.FileName)))],
            targetFolder: null,
            terminal,
            cancellationToken
        );
        foreach (var (file, actual) in expected.Zip(hashed))
        {
            RequireDigest(file, actual.Sha256);
        }
        return (signer, update.Full);
    }

    private static async Task<(ManifestSigner, UpdateManifest)> VerifyBundleAsync(
        string path,
        TrustedRoots roots,
        CancellationToken cancellationToken
    )
    {
        await using var stream = File.OpenRead(path);
        try
        {
            var reader = await UpdateBundleReader.OpenAsync(stream, cancellationToken);
            var signer = ManifestSignature.Verify(reader.ManifestBytes.Span, reader.Jws, roots);
            await foreach (var file in reader.ReadFilesAsync(cancellationToken))
            {
                var digest = await SHA256.HashDataAsync(file.Content, cancellationToken);
                RequireDigest(file.File, Convert.ToHexStringLower(digest));
            }
            return (signer, reader.Manifest);
        }
        catch (EndOfStreamException error)
        {
            throw new CliException(
                ExitCodes.Failed,
                $"'{path}' ends too early; it is not a whole bundle.",
                inner: error
            );
        }
    }

    private static void RequireDigest(ManifestFile file, string sha256)
    {
        if (file.Sha256 != sha256)
        {
            throw ErrorRegistry.DigestMismatch.Exception(
                "edgedm",
                file.FileName,
                $"'{file.FileName}' is not the file that the manifest names."
            );
        }
    }
}

/// <summary>What was asked for.</summary>
/// <param name="Update">A folder or a bundle.</param>
/// <param name="RootFiles">Public root keys.</param>
internal sealed record UpdateVerifyOptions(string Update, IReadOnlyList<string> RootFiles);
