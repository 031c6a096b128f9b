using System.Collections.Immutable;
using System.Text.Json.Nodes;
using EdgeDm.Updates;

namespace EdgeDm.Cli;

/// <summary>Makes a signed update from a folder.</summary>
internal static class UpdateCreateHandler
{
    public static async Task<int> RunAsync(
        UpdateCreateOptions options,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var id = UpdateId.Create(options.Provider, options.Name, options.Version);
        var files = FilesOf(options.Folder, options.Steps);
        var steps = UpdateSteps.Make(options, [.. files.Select(file => file.Name)]);
        using var key = await LoadKeyAsync(options, context, cancellationToken);
        var target = options.Bundle ? BundlePath(options.Out, id) : options.Out;
        RequireFree(target, options.Bundle);
        if (!options.Bundle)
        {
            Directory.CreateDirectory(target);
        }
        var hashed = await FileHashing.HashAsync(
            files,
            options.Bundle ? null : target,
            context.Terminal,
            cancellationToken
        );
        var built = ManifestBuilder.Build(
            new(id, [CompatibilityOf(options)], steps, [.. hashed], context.Time.GetUtcNow())
        );
        var jws = ManifestSignature.Sign(built.Attached.Span, key);
        if (options.Bundle)
        {
            await WriteBundleAsync(target, options.Folder, built, jws, cancellationToken);
        }
        else
        {
            await PublishAsync(target, built, jws, cancellationToken);
        }
        Tell(context.Terminal, target, built, key);
        return ExitCodes.Done;
    }

    private static List<FileInfo> FilesOf(string folder, string? stepsFile)
    {
        var root = new DirectoryInfo(folder);
        if (!root.Exists)
        {
            throw new CliException(ExitCodes.Usage, $"There is no folder '{folder}'.");
        }
        if (root.EnumerateDirectories().FirstOrDefault() is { } subfolder)
        {
            throw new CliException(
                ExitCodes.Usage,
                $"'{subfolder.FullName}' is a folder; an update has only files. Pack it into an archive that a step unpacks."
            );
        }
        var steps = stepsFile is null ? null : Path.GetFullPath(stepsFile);
        var files = root.EnumerateFiles()
            .Where(file => file.FullName != steps)
            .OrderBy(file => file.Name, StringComparer.Ordinal)
            .ToList();
        if (files.Find(file => file.Name is PublishedUpdate.ManifestFile or PublishedUpdate.SignatureFile) is { } ours)
        {
            throw new CliException(
                ExitCodes.Usage,
                $"'{ours.FullName}' has the name of a published manifest. Give the folder of the update's own files."
            );
        }
        return files.Count > 0 ? files : throw new CliException(ExitCodes.Usage, $"'{folder}' holds no files.");
    }

    private static async Task<SigningKey> LoadKeyAsync(
        UpdateCreateOptions options,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var pem = await File.ReadAllTextAsync(options.SigningKey, cancellationToken);
        var sjwk = await File.ReadAllTextAsync(options.Sjwk, cancellationToken);
        return SigningKey.FromPem(pem, Passphrase.ForKey(context, pem, options.SigningKey), sjwk);
    }

    private static string BundlePath(string path, UpdateId id) =>
        Directory.Exists(path)
            ? Path.Combine(path, $"{id.Provider}.{id.Name}.{id.Version}{UpdateBundle.Extension}")
            : path;

    private static void RequireFree(string target, bool bundle)
    {
        if (
            File.Exists(target)
            || (!bundle && Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any())
        )
        {
            throw new CliException(
                ExitCodes.Failed,
                $"'{target}' {(bundle ? "exists" : "is not an empty folder")}. A published update is never overwritten: choose another --out, or remove it."
            );
        }
    }

    private static ImmutableSortedDictionary<string, string> CompatibilityOf(UpdateCreateOptions options) =>
        ImmutableSortedDictionary<string, string>
            .Empty.WithComparers(StringComparer.Ordinal)
            .Add("deviceManufacturer", options.Manufacturer)
            .Add("deviceModel", options.Model);

    private static async Task PublishAsync(
        string folder,
        BuiltManifest built,
        string jws,
        CancellationToken cancellationToken
    )
    {
        if (built.Detached is { } detached)
        {
            await File.WriteAllBytesAsync(
                Path.Combine(folder, detached.FileName),
                detached.Content.ToArray(),
                cancellationToken
            );
        }
        await File.WriteAllTextAsync(Path.Combine(folder, PublishedUpdate.SignatureFile), jws, cancellationToken);
        // Last: a folder with a manifest is complete.
        await File.WriteAllBytesAsync(
            Path.Combine(folder, PublishedUpdate.ManifestFile),
            built.Attached.ToArray(),
            cancellationToken
        );
    }

    private static async Task WriteBundleAsync(
        string path,
        string folder,
        BuiltManifest built,
        string jws,
        CancellationToken cancellationToken
    )
    {
        var temporary = path + ".partial";
        try
        {
            await using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write))
            {
                await UpdateBundle.WriteAsync(
                    stream,
                    built,
                    jws,
                    file => File.OpenRead(Path.Combine(folder, file.FileName)),
                    cancellationToken
                );
            }
            File.Move(temporary, path);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static void Tell(Terminal terminal, string target, BuiltManifest built, SigningKey key)
    {
        var full = built.Full;
        terminal.Result(
            () =>
                new JsonObject
                {
                    ["updateId"] = JsonText.Parse(full.UpdateId.ToJson(), "updateId"),
                    ["out"] = Path.GetFullPath(target),
                    ["files"] = full.Files.Count,
                    ["totalBytes"] = full.TotalBytes,
                    ["manifestBytes"] = built.Attached.Length,
                    ["detached"] = built.Detached is not null,
                    ["signingKeyId"] = key.KeyId,
                },
            words =>
            {
                words.Say($"update    {full.UpdateId.Provider}/{full.UpdateId.Name} {full.UpdateId.Version}");
                words.Say($"files     {full.Files.Count}, {full.TotalBytes:N0} bytes");
                words.Say($"steps     {string.Join(", ", full.Steps.Select(step => step.Handler))}");
                words.Say(
                    $"manifest  {built.Attached.Length} bytes{(built.Detached is { } file ? $", detached in {file.FileName}" : "")}"
                );
                words.Say($"signed    {key.KeyId}");
                words.Say($"written   {target}");
            }
        );
    }
}

/// <summary>What was asked for; see the command's help.</summary>
internal sealed record UpdateCreateOptions(
    string Folder,
    string Provider,
    string Name,
    string Version,
    string Manufacturer,
    string Model,
    string SigningKey,
    string Sjwk,
    string Out,
    bool Bundle,
    string? Script,
    string? Arguments,
    string? Steps
);
