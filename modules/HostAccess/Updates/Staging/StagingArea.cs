using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Updates.Staging;

/// <summary>
/// HostAccess's own copies of an update's files, one work folder per step, readable by its own user only. Steps use these and nothing
/// else, so what was hashed is what runs.
/// </summary>
internal sealed class StagingArea
{
    /// <summary>Space that stays free beside the copies: records and logs must still be written.</summary>
    public const long Reserve = 16 * 1024 * 1024;

    private const int BufferSize = 1024 * 1024;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly Failpoint Copied = new("host.staging");

    private readonly string folder;
    private readonly PackageStore store;
    private readonly Func<long> freeBytes;

    /// <param name="folder">Made when it is not there.</param>
    /// <param name="store">Where the files come from.</param>
    /// <param name="freeBytes">Free bytes where <paramref name="folder"/> lies; null = asks the file system.</param>
    public StagingArea(string folder, PackageStore store, Func<long>? freeBytes = null)
    {
        this.folder = folder;
        this.store = store;
        this.freeBytes = freeBytes ?? (() => FullDisk.AvailableIn(folder));
        Directory.CreateDirectory(folder, OwnerOnly);
    }

    /// <summary>The work folder of a step.</summary>
    public string WorkFolder(string commandId, int step) => Path.Combine(folder, commandId, $"step-{step}");

    /// <summary>
    /// Copies the files of all steps while hashing them. An earlier attempt's copies are made anew. Throws <c>noSpace</c>,
    /// <c>stagedFileMissing</c>, <c>storeDamaged</c>, <c>wrongSize</c> or <c>digestMismatch</c>; then nothing may be used.
    /// </summary>
    /// <param name="commandId">Names the copies.</param>
    /// <param name="update">Says what belongs to which step.</param>
    /// <param name="progress">Gets 0 to 100.</param>
    /// <param name="cancel">Ends the copying.</param>
    public async Task StageAsync(
        string commandId,
        AdmittedUpdate update,
        Action<int> progress,
        CancellationToken cancel
    )
    {
        Remove(commandId);
        var copies = CopiesOf(commandId, update).ToList();
        var total = copies.Sum(copy => copy.File.SizeInBytes);
        RequireSpace(total);
        var folders = copies
            .Select(copy => Path.GetDirectoryName(copy.Target)!)
            .Concat(update.Full!.Steps.Select(step => WorkFolder(commandId, step.Index)))
            .Append(Path.Combine(folder, commandId))
            .Distinct(StringComparer.Ordinal)
            .ToList();
        folders.ForEach(path => Directory.CreateDirectory(path, OwnerOnly));
        long done = 0;
        foreach (var (file, target) in copies)
        {
            await CopyAsync(file, target, count => progress((int)((done += count) * 100 / total)), cancel);
        }
        folders.ForEach(AtomicFile.SyncFolder);
        AtomicFile.SyncFolder(folder);
    }

    /// <summary>The whole manifest of an update whose files are staged.</summary>
    /// <param name="commandId">Names the copies.</param>
    /// <param name="signed">The signed text, verified when it was submitted and again when it was staged.</param>
    public UpdateManifest ReadManifest(string commandId, string signed)
    {
        var manifest = UpdateManifest.Parse(Encoding.UTF8.GetBytes(signed));
        return manifest.DetachedManifestFileId is null
            ? manifest
            : manifest.ResolveDetached(File.ReadAllBytes(DetachedPath(commandId)));
    }

    /// <summary>Removes an update's copies. No error when there are none.</summary>
    public void Remove(string commandId)
    {
        var copies = Path.Combine(folder, commandId);
        if (Directory.Exists(copies))
        {
            Directory.Delete(copies, recursive: true);
        }
    }

    /// <summary>Command ids that have copies.</summary>
    public IEnumerable<string> List() => Directory.EnumerateDirectories(folder).Select(path => Path.GetFileName(path));

    private string DetachedPath(string commandId) => Path.Combine(folder, commandId, "detached-manifest.json");

    private IEnumerable<(ManifestFile File, string Target)> CopiesOf(string commandId, AdmittedUpdate update)
    {
        if (update.Signed.DetachedManifestFileId is { } fileId)
        {
            yield return (update.Signed.Files[fileId], DetachedPath(commandId));
        }
        foreach (var step in update.Full!.Steps)
        {
            foreach (var file in FilesOf(update.Full, step))
            {
                yield return (file, Path.Combine(WorkFolder(commandId, step.Index), file.FileName));
            }
        }
    }

    /// <summary>The files of a step, by name: a manifest may list one file under two ids.</summary>
    private static IEnumerable<ManifestFile> FilesOf(UpdateManifest manifest, ManifestStep step) =>
        step.Files.Select(id => manifest.Files[id]).DistinctBy(file => file.FileName, StringComparer.OrdinalIgnoreCase);

    private void RequireSpace(long needed)
    {
        var available = freeBytes() - Reserve;
        if (needed > available)
        {
            throw ErrorRegistry.NoSpace.Refusal(
                "staging",
                $"Staging the update takes {needed} bytes and {Math.Max(available, 0)} are available.",
                ("needed", needed.ToString()),
                ("available", Math.Max(available, 0).ToString())
            );
        }
    }

    private async Task CopyAsync(ManifestFile file, string target, Action<int> copied, CancellationToken cancel)
    {
        try
        {
            await CopyHashedAsync(file, target, copied, cancel);
        }
        catch (IOException error)
        {
            throw (FullDisk.IsCauseOf(error) ? ErrorRegistry.NoSpace : ErrorRegistry.StoreDamaged).Refusal(
                file.FileId,
                $"File '{file.FileName}' cannot be copied: {error.Message}",
                ("fileId", file.FileId)
            );
        }
    }

    private async Task CopyHashedAsync(ManifestFile file, string target, Action<int> copied, CancellationToken cancel)
    {
        await using var source = store.Open(file);
        PackageStore.RequireSize(file, source.Length);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var copy = new FileStream(target, NewFile());
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            // Never more than the manifest says: the file may grow while it is read.
            var left = file.SizeInBytes;
            while (left > 0)
            {
                var wanted = (int)Math.Min(left, BufferSize);
                var count = await source.ReadAsync(buffer.AsMemory(0, wanted), cancel);
                if (count == 0)
                {
                    PackageStore.RequireSize(file, file.SizeInBytes - left);
                }
                hash.AppendData(buffer.AsSpan(0, count));
                Copied.Before();
                await copy.WriteAsync(buffer.AsMemory(0, count), cancel);
                left -= count;
                copied(count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        copy.Flush(flushToDisk: true);
        Copied.After();
        if (Convert.ToHexStringLower(hash.GetHashAndReset()) != file.Sha256)
        {
            throw ErrorRegistry.DigestMismatch.Refusal(
                file.FileId,
                $"File '{file.FileName}' in the package store has another digest than the manifest says.",
                ("fileId", file.FileId)
            );
        }
    }

    private static FileStreamOptions NewFile() =>
        new()
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
}
