using System.Buffers;
using System.Security.Cryptography;
using EdgeDm.Durable;
using Microsoft.Win32.SafeHandles;

namespace EdgeDm.FirmwareDownload.Store;

/// <summary>
/// A file on its way into the store. Bytes are appended and hashed in one pass; <see cref="Checkpoint"/> makes them
/// durable first and then says so in a record, so after a power cut the record never promises what the disk does not
/// hold. The file's length is no evidence: it is preallocated.
/// </summary>
internal sealed class PartialFile : IDisposable
{
    private static readonly Failpoint Flushed = new("download.data");

    private readonly DurableRecord<PartialCheckpoint> record;
    private readonly DownloadOptions options;
    private readonly TimeProvider time;
    private readonly string path;
    private readonly byte[] buffer;
    private IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private SafeFileHandle? handle;
    private long recorded;
    private long recordedAt;

    /// <summary>Names the part; <see cref="ResumeAsync"/> opens it.</summary>
    /// <param name="path">The part's file; its record lies beside it.</param>
    /// <param name="expectedSize">Its exact size; null while not known.</param>
    /// <param name="record">Where checkpoints go.</param>
    /// <param name="options">Bounds.</param>
    /// <param name="time">The clock.</param>
    public PartialFile(
        string path,
        long? expectedSize,
        DurableRecord<PartialCheckpoint> record,
        DownloadOptions options,
        TimeProvider time
    )
    {
        this.path = path;
        this.record = record;
        this.options = options;
        this.time = time;
        GivenSize = ExpectedSize = expectedSize;
        buffer = ArrayPool<byte>.Shared.Rent(options.BufferBytes);
    }

    /// <summary>Bytes written and hashed so far.</summary>
    public long Length { get; private set; }

    /// <summary>The size that the asker named; null when only the server knows it.</summary>
    public long? GivenSize { get; }

    /// <summary>The size that the file must have, asked for or learnt from the server; null while not known.</summary>
    public long? ExpectedSize { get; private set; }

    /// <summary>The representation at the server that the bytes belong to; null before the first byte.</summary>
    public EntityVersion? Entity { get; private set; }

    /// <summary>True when nothing is missing.</summary>
    public bool IsWhole => ExpectedSize == Length;

    /// <summary>Network bytes of the job so far, told to the record so that a restart goes on counting.</summary>
    public (string JobId, long Fetched) Account { get; set; } = ("", 0);

    /// <summary>Buffer for reads from the network; filled, then handed to <see cref="Append"/>.</summary>
    public Memory<byte> Buffer => buffer.AsMemory(0, options.BufferBytes);

    /// <summary>
    /// Opens the part as far as its record vouches for it, reading back only that prefix. What does not read back as it
    /// was written is dropped and the part begins anew.
    /// </summary>
    /// <returns>The record that was continued, or null.</returns>
    public async Task<PartialCheckpoint?> ResumeAsync(CancellationToken cancel)
    {
        if (record.Load() is { } found && IsUsable(found) && File.Exists(path))
        {
            Storage(() => handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read));
            if (await PrefixReadsBackAsync(found, cancel))
            {
                Length = recorded = found.Length;
                ExpectedSize ??= found.Entity?.Size;
                Entity = found.Entity;
                recordedAt = time.GetTimestamp();
                return found;
            }
        }
        Reset();
        return null;
    }

    /// <summary>Notes which representation the next bytes belong to and reserves the room for all of it.</summary>
    public void Begin(EntityVersion entity)
    {
        Entity = entity;
        ExpectedSize ??= entity.Size;
        Reserve();
    }

    /// <summary>Makes the file with its whole size, so that a full disk is known before the first byte.</summary>
    public void Reserve()
    {
        if (handle is not null)
        {
            return;
        }
        var needed = ExpectedSize ?? 0;
        DiskSpace.Require(Path.GetDirectoryName(path)!, needed);
        Storage(() =>
        {
            handle = File.OpenHandle(
                path,
                FileMode.Create,
                FileAccess.ReadWrite,
                FileShare.Read,
                FileOptions.None,
                needed
            );
            RandomAccess.SetLength(handle, needed); // Preallocation reserves the blocks and leaves the length at 0.
        });
    }

    /// <summary>Writes and hashes; takes a checkpoint when one is due.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        try
        {
            RandomAccess.Write(handle!, bytes, Length);
        }
        catch (IOException error)
        {
            throw DiskSpace.Error(path, error);
        }
        hash.AppendData(bytes);
        Length += bytes.Length;
        if (
            Length - recorded >= options.CheckpointBytes
            || time.GetElapsedTime(recordedAt) >= options.CheckpointInterval
        )
        {
            Checkpoint();
        }
    }

    /// <summary>Data to disk, then the record that vouches for it. Does nothing when nothing was added.</summary>
    public void Checkpoint()
    {
        if (handle is null || Length == recorded)
        {
            return;
        }
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetCurrentHash(digest);
        var checkpoint = new PartialCheckpoint(
            Length,
            Convert.ToHexStringLower(digest),
            Account.JobId,
            Account.Fetched,
            Entity
        );
        Flushed.Before();
        Storage(() =>
        {
            RandomAccess.FlushToDisk(handle);
            Flushed.After();
            record.Save(checkpoint);
        });
        recorded = Length;
        recordedAt = time.GetTimestamp();
    }

    /// <summary>Forgets everything fetched so far, on disk too.</summary>
    public void Reset()
    {
        handle?.Dispose();
        handle = null;
        hash.Dispose();
        hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Length = recorded = 0;
        recordedAt = time.GetTimestamp();
        Entity = null;
        ExpectedSize = GivenSize;
        Remove(path, record);
    }

    /// <summary>The server has ended the file in order; without a size known before, this is it.</summary>
    public void End() => ExpectedSize ??= Length;

    /// <summary>Ends the writing: exact length, data on disk.</summary>
    /// <returns>The SHA-256 of all bytes in lower-case hexadecimal.</returns>
    public string Seal()
    {
        Reserve();
        Storage(() =>
        {
            RandomAccess.SetLength(handle!, Length);
            RandomAccess.FlushToDisk(handle!);
        });
        handle!.Dispose();
        handle = null;
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Closes; what was appended since the last checkpoint may be lost.</summary>
    public void Dispose()
    {
        handle?.Dispose();
        handle = null;
        hash.Dispose();
        ArrayPool<byte>.Shared.Return(buffer);
    }

    /// <summary>Removes a part and its record, the record first: alone it would vouch for nothing.</summary>
    public static void Remove(string path, DurableRecord<PartialCheckpoint> record) =>
        Storage(
            path,
            () =>
            {
                record.Delete();
                File.Delete(path);
            }
        );

    private bool IsUsable(PartialCheckpoint found) =>
        found.Length > 0 && found.Length <= (ExpectedSize ?? found.Entity?.Size ?? long.MaxValue);

    private async Task<bool> PrefixReadsBackAsync(PartialCheckpoint found, CancellationToken cancel)
    {
        var offset = 0L;
        while (offset < found.Length)
        {
            var wanted = (int)Math.Min(Buffer.Length, found.Length - offset);
            int read;
            try
            {
                read = await RandomAccess.ReadAsync(handle!, Buffer[..wanted], offset, cancel);
            }
            catch (IOException)
            {
                return false; // A bad sector; the part is written anew elsewhere.
            }
            if (read == 0)
            {
                return false;
            }
            hash.AppendData(buffer.AsSpan(0, read));
            offset += read;
        }
        return string.Equals(
            Convert.ToHexStringLower(hash.GetCurrentHash()),
            found.PrefixSha256,
            StringComparison.Ordinal
        );
    }

    private void Storage(Action action) => Storage(path, action);

    private static void Storage(string path, Action action)
    {
        try
        {
            action();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw DiskSpace.Error(path, error);
        }
    }
}

/// <summary>What is certainly on disk of a part.</summary>
/// <param name="Length">Bytes from the beginning.</param>
/// <param name="PrefixSha256">Their digest.</param>
/// <param name="JobId">The job that fetched last.</param>
/// <param name="Fetched">That job's network bytes so far.</param>
/// <param name="Entity">The representation that they belong to.</param>
internal sealed record PartialCheckpoint(
    long Length,
    string PrefixSha256,
    string JobId,
    long Fetched,
    EntityVersion? Entity = null
);

/// <summary>
/// Which version of a file a server sent, so that two are never mixed (RFC 9110 8.8 and 13.1.5).
/// </summary>
/// <param name="ETag">A strong entity tag with its quotes; null when the server gives none or a weak one.</param>
/// <param name="LastModified">Last-Modified, if it is at least a second older than the answer; null otherwise.</param>
/// <param name="Size">The whole size; null when the server does not say.</param>
internal sealed record EntityVersion(string? ETag = null, DateTimeOffset? LastModified = null, long? Size = null)
{
    /// <summary>A range of the same version can be asked for.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool CanResume => ETag is not null || (LastModified is not null && Size is not null);
}
