using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Files;

/// <summary>
/// What devices upload: the files (folder <c>files/blobs</c>, under names of the hub's own), their parts (folder <c>files/blocks</c>) and what is
/// known of them (folder <c>files/uploads</c>). Safe for use by many threads.
/// </summary>
internal sealed class FileStore
{
    private const int TokenBytes = 32;

    private static readonly Failpoint Recorded = new("upload");
    private static readonly Failpoint Written = new("upload.file");

    private readonly Lock gate = new();
    private readonly FileUploadLimits limits;
    private readonly TimeProvider time;
    private readonly string blobs;
    private readonly BlockStore blocks;
    private readonly DurableFolder<FileUpload> folder;
    private readonly Dictionary<string, FileUpload> uploads;

    /// <summary>Loads all.</summary>
    public FileStore(string dataFolder, FileUploadLimits limits, TimeProvider time, ILogger logger)
    {
        this.limits = limits;
        this.time = time;
        var root = Path.Combine(dataFolder, "files");
        blobs = Path.Combine(root, "blobs");
        Directory.CreateDirectory(blobs);
        folder = new(Path.Combine(root, "uploads"), FileUploadJson.Default.FileUpload, Recorded, logger);
        uploads = folder.LoadAll().ToDictionary(upload => upload.CorrelationId, StringComparer.Ordinal);
        blocks = new(
            Path.Combine(root, "blocks"),
            limits,
            id => uploads.TryGetValue(id, out var upload) && upload.IsOpen && upload.Expires > time.GetUtcNow()
        );
        foreach (var torn in Directory.EnumerateFiles(blobs, "*.tmp"))
        {
            File.Delete(torn);
        }
    }

    /// <summary>Lets a device upload a file.</summary>
    /// <returns>The upload, and the token that is told once.</returns>
    /// <exception cref="HubException"><see cref="HubError.DeviceMaximumActiveFileUploadLimitExceeded"/>.</exception>
    public (FileUpload Upload, string Token) Grant(string deviceId, string name)
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes));
        lock (gate)
        {
            var now = time.GetUtcNow();
            if (uploads.Values.Count(u => u.DeviceId == deviceId && u.IsOpen && u.Expires > now) >= limits.MostActive)
            {
                throw new HubException(
                    HubError.DeviceMaximumActiveFileUploadLimitExceeded,
                    $"Number of active file upload requests cannot exceed {limits.MostActive}: '{deviceId}' must tell how they ended."
                );
            }
            foreach (
                var old in uploads
                    .Values.Where(u => !u.IsOpen || u.Expires <= now)
                    .OrderByDescending(u => u.Created)
                    .Skip(limits.MostKept - 1)
                    .ToList()
            )
            {
                folder.Delete(old.CorrelationId);
                uploads.Remove(old.CorrelationId);
                blocks.Forget(old.CorrelationId);
                File.Delete(PathOf(old));
            }
            var upload = new FileUpload(
                Guid.NewGuid().ToString("N"),
                deviceId,
                $"{deviceId}/{name}",
                HashOf(token),
                now,
                now + limits.EffectiveLife
            );
            Save(upload);
            return (upload, token);
        }
    }

    /// <summary>The upload that this token lets write this blob; null = none does.</summary>
    public FileUpload? FindByToken(string blobName, string token)
    {
        var hash = Encoding.ASCII.GetBytes(HashOf(token));
        lock (gate)
        {
            return uploads.Values.FirstOrDefault(upload =>
                upload.BlobName == blobName
                && upload.IsOpen
                && upload.Expires > time.GetUtcNow()
                && CryptographicOperations.FixedTimeEquals(hash, Encoding.ASCII.GetBytes(upload.TokenHash))
            );
        }
    }

    /// <summary>Writes the file; it is whole and on disk when this returns.</summary>
    /// <exception cref="BlobException">It is too large; what was there before stays.</exception>
    public Task WriteAsync(FileUpload upload, Stream content, CancellationToken cancellationToken) =>
        WriteAsync(
            upload,
            file => BoundedCopy.RunAsync(content, file, limits.LargestFile, TooLarge, cancellationToken)
        );

    /// <summary>Takes a part of the file, to be put together by <see cref="CommitAsync"/>; on disk when this returns.</summary>
    /// <exception cref="BlobException">It is too large, or there are too many.</exception>
    public Task StageAsync(FileUpload upload, BlockId block, Stream content, CancellationToken cancellationToken) =>
        blocks.StageAsync(upload.CorrelationId, block, content, cancellationToken);

    /// <summary>Makes the file of its parts, in this order; it is whole and on disk when this returns. Parts that the list does not name are forgotten.</summary>
    /// <exception cref="BlobException">A part is not there; what was there before stays.</exception>
    public async Task CommitAsync(FileUpload upload, IReadOnlyList<BlockId> list, CancellationToken cancellationToken)
    {
        await WriteAsync(
            upload,
            async file =>
            {
                foreach (var part in blocks.Find(upload.CorrelationId, list))
                {
                    await using var content = File.OpenRead(part);
                    await BoundedCopy.RunAsync(
                        content,
                        file,
                        limits.LargestFile - file.Length, // A list may name a part twice.
                        TooLarge,
                        cancellationToken
                    );
                }
                return file.Length;
            }
        );
        blocks.Forget(upload.CorrelationId);
    }

    /// <summary>The device tells how an upload ended, once.</summary>
    /// <exception cref="HubException">There is no such upload of this device, or its time is over.</exception>
    public void End(string deviceId, string correlationId, bool isSuccess, int statusCode, string? description)
    {
        lock (gate)
        {
            if (!uploads.TryGetValue(correlationId, out var upload) || upload.DeviceId != deviceId || !upload.IsOpen)
            {
                throw new HubException(
                    HubError.InvalidFileUploadCorrelationId,
                    $"'{deviceId}' has no upload '{correlationId}' whose end is not told."
                );
            }
            var now = time.GetUtcNow();
            if (upload.Expires <= now)
            {
                throw new HubException(
                    HubError.ExpiredFileUploadCorrelationId,
                    $"The upload '{correlationId}' is over since {upload.Expires:O}."
                );
            }
            Save(
                upload with
                {
                    State = isSuccess ? FileUploadState.Succeeded : FileUploadState.Failed,
                    Ended = now,
                    StatusCode = statusCode,
                    StatusDescription = description,
                }
            );
            blocks.Forget(correlationId);
        }
    }

    /// <summary>All uploads, oldest first.</summary>
    public IReadOnlyList<FileUpload> List()
    {
        lock (gate)
        {
            return [.. uploads.Values.OrderBy(upload => upload.Created)];
        }
    }

    /// <summary>An upload's file; null when it is not there.</summary>
    public FileStream? Open(string correlationId)
    {
        lock (gate)
        {
            return uploads.TryGetValue(correlationId, out var upload) && upload.Size is not null
                ? File.OpenRead(PathOf(upload))
                : null;
        }
    }

    private BlobException TooLarge() =>
        new(413, "RequestBodyTooLarge", $"The file is larger than {limits.LargestFile} bytes.");

    private async Task WriteAsync(FileUpload upload, Func<Stream, Task<long>> write)
    {
        var path = PathOf(upload);
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            long size;
            await using (var file = File.Create(temporary))
            {
                size = await write(file);
                file.Flush(flushToDisk: true);
            }
            Written.Before();
            File.Move(temporary, path, overwrite: true);
            AtomicFile.SyncFolder(blobs);
            Written.After();
            lock (gate)
            {
                Save(uploads[upload.CorrelationId] with { State = FileUploadState.Written, Size = size });
            }
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private void Save(FileUpload upload)
    {
        folder.Save(upload.CorrelationId, upload);
        uploads[upload.CorrelationId] = upload;
    }

    // Two uploads of one name are two files: the device has not said of the second that it is whole.
    private string PathOf(FileUpload upload) =>
        Path.Combine(blobs, RecordNames.Of("blob", upload.BlobName, upload.CorrelationId));

    private static string HashOf(string token) =>
        Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
