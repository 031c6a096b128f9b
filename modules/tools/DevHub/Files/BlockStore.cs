using EdgeDm.Durable;

namespace EdgeDm.DevHub.Files;

/// <summary>
/// Blocks of files that are uploaded in pieces, until a list makes a file of them (Azure Storage, "Put Block"): a folder for each upload, a
/// file for each block. Safe for use by many threads.
/// </summary>
internal sealed class BlockStore
{
    private const string TemporarySuffix = ".tmp";

    private static readonly Failpoint Staged = new("upload.block");

    private readonly Lock gate = new();
    private readonly string root;
    private readonly FileUploadLimits limits;

    // Sizes by block, of uploads that have some.
    private readonly Dictionary<string, Dictionary<string, long>> uploads = new(StringComparer.Ordinal);

    /// <summary>Takes up the blocks that an earlier process left, of uploads that may still go on.</summary>
    /// <param name="root">Where the folders are.</param>
    /// <param name="limits">How much.</param>
    /// <param name="goesOn">Whether the upload of this id may.</param>
    public BlockStore(string root, FileUploadLimits limits, Func<string, bool> goesOn)
    {
        this.root = root;
        this.limits = limits;
        Directory.CreateDirectory(root);
        foreach (var folder in Directory.GetDirectories(root))
        {
            var upload = Path.GetFileName(folder);
            if (!goesOn(upload))
            {
                Directory.Delete(folder, recursive: true);
                continue;
            }
            foreach (var torn in Directory.GetFiles(folder, "*" + TemporarySuffix))
            {
                File.Delete(torn);
            }
            uploads[upload] = new DirectoryInfo(folder)
                .GetFiles()
                .ToDictionary(f => f.Name, f => f.Length, StringComparer.Ordinal);
        }
    }

    /// <summary>Takes a block, in the place of one of the same id; on disk when this returns.</summary>
    /// <param name="upload">Id of the upload.</param>
    /// <param name="block">Id of the block.</param>
    /// <param name="content">The bytes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="BlobException">It is too large, or there are too many.</exception>
    public async Task StageAsync(string upload, BlockId block, Stream content, CancellationToken cancellationToken)
    {
        var folder = FolderOf(upload);
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, block.FileName);
        var temporary = $"{path}.{Guid.NewGuid():N}{TemporarySuffix}";
        try
        {
            long size;
            await using (var file = File.Create(temporary))
            {
                size = await BoundedCopy.RunAsync(content, file, RoomFor(upload, block), TooLarge, cancellationToken);
                file.Flush(flushToDisk: true);
            }
            lock (gate)
            {
                // Others may have come meanwhile.
                if (size > RoomFor(upload, block))
                {
                    throw TooLarge();
                }
                Staged.Before();
                File.Move(temporary, path, overwrite: true);
                AtomicFile.SyncFolder(folder);
                Staged.After();
                BlocksOf(upload)[block.FileName] = size;
            }
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>The files of a list of blocks, in its order.</summary>
    /// <exception cref="BlobException">One of them is not there.</exception>
    public IReadOnlyList<string> Find(string upload, IReadOnlyList<BlockId> list)
    {
        lock (gate)
        {
            var known = BlocksOf(upload);
            var folder = FolderOf(upload);
            return
            [
                .. list.Select(block =>
                    known.ContainsKey(block.FileName)
                        ? Path.Combine(folder, block.FileName)
                        : throw new BlobException(
                            400,
                            "InvalidBlockList",
                            "The list names a block that was not put, or that an earlier list used up."
                        )
                ),
            ];
        }
    }

    /// <summary>Forgets the blocks of an upload.</summary>
    public void Forget(string upload)
    {
        lock (gate)
        {
            uploads.Remove(upload);
            if (Directory.Exists(FolderOf(upload)))
            {
                Directory.Delete(FolderOf(upload), recursive: true);
            }
        }
    }

    // Bytes that a block may have.
    private long RoomFor(string upload, BlockId block)
    {
        lock (gate)
        {
            var others = BlocksOf(upload).Where(known => known.Key != block.FileName).ToList();
            if (others.Count >= limits.MostBlocks)
            {
                throw new BlobException(
                    409,
                    "BlockCountExceedsLimit",
                    $"{limits.MostBlocks} blocks were put that no list has used, which is the most."
                );
            }
            if (others.Count > 0 && others[0].Key.Length != block.FileName.Length)
            {
                throw new BlobException(
                    400,
                    "InvalidBlobOrBlock",
                    "All block ids of a blob must have the same length."
                );
            }
            return limits.LargestFile - others.Sum(known => known.Value);
        }
    }

    private BlobException TooLarge() =>
        new(413, "RequestBodyTooLarge", $"With this block the file would be larger than {limits.LargestFile} bytes.");

    private Dictionary<string, long> BlocksOf(string upload)
    {
        if (!uploads.TryGetValue(upload, out var blocks))
        {
            uploads.Add(upload, blocks = new(StringComparer.Ordinal));
        }
        return blocks;
    }

    private string FolderOf(string upload) => Path.Combine(root, upload);
}

/// <summary>The id of a block, which its sender chose.</summary>
internal readonly record struct BlockId
{
    private const int LongestId = 64;

    private BlockId(byte[] id) => FileName = Convert.ToHexStringLower(id);

    /// <summary>The same as a file's name.</summary>
    public string FileName { get; }

    /// <summary>Reads base64 of 1 to 64 bytes.</summary>
    /// <exception cref="BlobException">It is something else.</exception>
    public static BlockId Parse(string? text)
    {
        var bytes = new byte[LongestId];
        return text is { Length: > 0 } && Convert.TryFromBase64String(text, bytes, out var length) && length > 0
            ? new(bytes[..length])
            : throw new BlobException(
                400,
                "InvalidQueryParameterValue",
                $"A block's id must be base64 of 1 to {LongestId} bytes."
            );
    }
}

/// <summary>A blob cannot be written as asked; said in Azure Storage's words.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="code">Azure Storage's.</param>
/// <param name="message">For people.</param>
internal sealed class BlobException(int status, string code, string message) : Exception(message)
{
    /// <summary>HTTP status.</summary>
    public int Status { get; } = status;

    /// <summary>Azure Storage's name of the error.</summary>
    public string Code { get; } = code;
}
