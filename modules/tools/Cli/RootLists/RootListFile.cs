using EdgeDm.Updates;

namespace EdgeDm.Cli;

/// <summary>A root list's file.</summary>
internal static class RootListFile
{
    /// <summary>Reads a list; refuses a file that is none.</summary>
    public static async Task<RootList> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var length = new FileInfo(path).Length;
        return length <= RootList.MaxBytes
            ? RootList.Parse(await File.ReadAllBytesAsync(path, cancellationToken))
            : throw new CliException(
                ExitCodes.Failed,
                $"'{path}' has {length} bytes; a root list has at most {RootList.MaxBytes}."
            );
    }

    /// <summary>Writes a new file.</summary>
    public static async Task WriteNewAsync(string path, RootList list, CancellationToken cancellationToken)
    {
        if (File.Exists(path))
        {
            throw new CliException(ExitCodes.Failed, $"'{path}' exists. Choose another file.");
        }
        await File.WriteAllBytesAsync(path, list.ToBytes(), cancellationToken);
    }

    /// <summary>Replaces the file, whole or not at all: signatures of others are in it.</summary>
    public static async Task ReplaceAsync(string path, RootList list, CancellationToken cancellationToken)
    {
        var temporary = path + ".tmp";
        await File.WriteAllBytesAsync(temporary, list.ToBytes(), cancellationToken);
        File.Move(temporary, path, overwrite: true);
    }
}
