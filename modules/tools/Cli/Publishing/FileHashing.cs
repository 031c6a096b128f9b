using System.Buffers;
using System.Security.Cryptography;
using EdgeDm.Updates;
using Spectre.Console;

namespace EdgeDm.Cli;

/// <summary>Hashes files, with a bar for the person who waits.</summary>
internal static class FileHashing
{
    private const int BufferSize = 1024 * 1024;

    /// <summary>
    /// Hashes each file, and copies it in the same pass when a target folder is given: what is published is then exactly
    /// what was hashed, whatever happens to the source meanwhile.
    /// </summary>
    public static async Task<IReadOnlyList<FileDescription>> HashAsync(
        IReadOnlyList<FileInfo> files,
        string? targetFolder,
        Terminal terminal,
        CancellationToken cancellationToken
    )
    {
        if (!terminal.IsInteractive)
        {
            return await HashAllAsync(_ => { });
        }
        return await terminal
            .Ansi.Progress()
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new PercentageColumn(),
                new DownloadedColumn()
            )
            .StartAsync(async progress =>
            {
                var bar = progress.AddTask("hashing", maxValue: Math.Max(1, files.Sum(file => file.Length)));
                var hashed = await HashAllAsync(bytes => bar.Increment(bytes));
                bar.Value = bar.MaxValue;
                return hashed;
            });

        async Task<IReadOnlyList<FileDescription>> HashAllAsync(Action<long> advance)
        {
            var hashed = new List<FileDescription>(files.Count);
            foreach (var file in files)
            {
                hashed.Add(await HashOneAsync(file, targetFolder, advance, cancellationToken));
            }
            return hashed;
        }
    }

    private static async Task<FileDescription> HashOneAsync(
        FileInfo file,
        string? targetFolder,
        Action<long> advance,
        CancellationToken cancellationToken
    )
    {
        await using var source = file.OpenRead();
        await using var target = targetFolder is null
            ? Stream.Null
            : new FileStream(Path.Combine(targetFolder, file.Name), FileMode.CreateNew, FileAccess.Write);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            var size = 0L;
            int count;
            while ((count = await source.ReadAsync(buffer.AsMemory(0, BufferSize), cancellationToken)) > 0)
            {
                hash.AppendData(buffer, 0, count);
                await target.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                size += count;
                advance(count);
            }
            return new(file.Name, size, Convert.ToHexStringLower(hash.GetHashAndReset()));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
