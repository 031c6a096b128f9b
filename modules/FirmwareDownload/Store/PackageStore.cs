using System.Buffers;
using System.Security.Cryptography;
using EdgeDm.Contracts;
using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.FirmwareDownload.Store;

/// <summary>
/// The package store: <c>sha256/&lt;hex&gt;</c> holds finished, verified files (0644, HostAccess reads them), <c>partial/</c>
/// what is on its way. This module alone writes it.
/// </summary>
internal sealed partial class PackageStore
{
    private const UnixFileMode Readable =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private static readonly Failpoint Finished = new("download.finish");
    private static readonly Failpoint Checkpointed = new("download.checkpoint", removes: true);

    private readonly string finished;
    private readonly string partial;
    private readonly DownloadOptions options;
    private readonly TimeProvider time;
    private readonly ILogger logger;

    /// <summary>Makes the folders.</summary>
    public PackageStore(string folder, DownloadOptions options, TimeProvider time, ILogger logger)
    {
        finished = Path.Combine(folder, "sha256");
        partial = Path.Combine(folder, "partial");
        this.options = options;
        this.time = time;
        this.logger = logger;
        Directory.CreateDirectory(finished);
        Directory.CreateDirectory(partial);
    }

    /// <summary>Where a finished file lies.</summary>
    public string PathOf(string sha256) => Path.Combine(finished, sha256);

    /// <summary>True when a file of this digest and size is finished; by name and size only.</summary>
    public bool Has(string sha256, long size) => new FileInfo(PathOf(sha256)) is { Exists: true } f && f.Length == size;

    /// <summary>
    /// True when the store holds the file. With <see cref="DownloadOptions.VerifyStored"/> it is read and hashed; a
    /// damaged one is removed, to be fetched again.
    /// </summary>
    public async Task<bool> HasIntactAsync(string sha256, long size, CancellationToken cancel)
    {
        var path = PathOf(sha256);
        if (!Has(sha256, size))
        {
            if (File.Exists(path))
            {
                LogDamaged(logger, sha256, "wrong size");
                File.Delete(path);
            }
            return false;
        }
        if (options.VerifyStored && !string.Equals(await DigestOfAsync(path, cancel), sha256, StringComparison.Ordinal))
        {
            LogDamaged(logger, sha256, "wrong digest");
            File.Delete(path);
            return false;
        }
        return true;
    }

    /// <summary>The part of a file named by its digest, or of a bundle named by its job.</summary>
    public PartialFile Part(string name, long? size) => new(PartPath(name), size, PartRecord(name), options, time);

    /// <summary>A part that comes from this disk: made again rather than continued, so it needs no checkpoints.</summary>
    public PartialFile LocalPart(string name, long size) =>
        new(
            PartPath(name),
            size,
            PartRecord(name),
            options with
            {
                CheckpointBytes = long.MaxValue,
                CheckpointInterval = TimeSpan.MaxValue,
            },
            time
        );

    /// <summary>Removes a part; no error when there is none.</summary>
    public void RemovePart(string name) => PartialFile.Remove(PartPath(name), PartRecord(name));

    /// <summary>Where a part's bytes lie.</summary>
    public string PartPath(string name) => Path.Combine(partial, name + ".part");

    /// <summary>
    /// Moves a sealed part under its digest. Throws <c>digestMismatch</c> and removes the part when the digest is not the
    /// expected one.
    /// </summary>
    public void Accept(string partName, string sha256, string expected, string context)
    {
        if (!string.Equals(sha256, expected, StringComparison.Ordinal))
        {
            RemovePart(partName);
            throw ErrorRegistry.DigestMismatch.Exception(
                Subsystems.FirmwareDownload,
                context,
                "The file that the server sent has another SHA-256 than the manifest says.",
                ("expected", expected),
                ("found", sha256)
            );
        }
        var path = PartPath(partName);
        try
        {
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, Readable);
            }
            Finished.Before();
            File.Move(path, PathOf(sha256), overwrite: true);
            AtomicFile.SyncFolder(finished);
            AtomicFile.SyncFolder(partial);
            Finished.After();
            PartRecord(partName).Delete();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw DiskSpace.Error(path, error);
        }
    }

    /// <summary>Throws <c>noSpace</c> unless so much is free.</summary>
    public void RequireSpace(long bytes) => DiskSpace.Require(partial, bytes);

    /// <summary>Bytes that a part occupies already; they need not be free once more.</summary>
    public long Reserved(string partName) =>
        new FileInfo(PartPath(partName)) is { Exists: true } file ? file.Length : 0;

    /// <summary>
    /// Removes finished files and parts that were not touched for <see cref="DownloadOptions.KeepFor"/> and that no live
    /// request names.
    /// </summary>
    /// <returns>How many files went.</returns>
    public int Sweep(IReadOnlySet<string> live)
    {
        var oldest = time.GetUtcNow() - options.KeepFor;
        var removed = 0;
        foreach (
            var file in new DirectoryInfo(finished).EnumerateFiles().Concat(new DirectoryInfo(partial).EnumerateFiles())
        )
        {
            if (file.LastWriteTimeUtc < oldest.UtcDateTime && !live.Contains(NameOf(file.Name)))
            {
                file.Delete();
                removed++;
            }
        }
        return removed;
    }

    /// <summary>The name that a file of the store was asked for by: without <c>.part</c> or <c>.json</c> and what follows.</summary>
    private static string NameOf(string fileName)
    {
        var end = Math.Max(
            fileName.LastIndexOf(".part", StringComparison.Ordinal),
            fileName.LastIndexOf(".json", StringComparison.Ordinal)
        );
        return end < 0 ? fileName : fileName[..end];
    }

    private DurableRecord<PartialCheckpoint> PartRecord(string name) =>
        new(
            Path.Combine(partial, name + ".json"),
            DownloadJson.Default.PartialCheckpoint,
            Checkpointed,
            logger,
            time: time
        );

    private async Task<string> DigestOfAsync(string path, CancellationToken cancel)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(options.BufferBytes);
        try
        {
            using var handle = File.OpenHandle(path);
            var offset = 0L;
            int read;
            while ((read = await RandomAccess.ReadAsync(handle, buffer, offset, cancel)) > 0)
            {
                hash.AppendData(buffer.AsSpan(0, read));
                offset += read;
            }
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        catch (IOException)
        {
            return ""; // Unreadable is damaged.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Stored file {Sha256} is damaged ({Reason}); fetching it again")]
    private static partial void LogDamaged(ILogger logger, string sha256, string reason);
}
