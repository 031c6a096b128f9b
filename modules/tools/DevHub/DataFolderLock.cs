using EdgeDm.Hosting;

namespace EdgeDm.DevHub;

/// <summary>Keeps a second dev hub off a data folder. The kernel lets go of it when the process ends, however it ends.</summary>
public sealed class DataFolderLock : IDisposable
{
    private readonly FileStream file;

    private DataFolderLock(FileStream file) => this.file = file;

    /// <summary>Makes the folder (0700) and takes it.</summary>
    /// <exception cref="MisconfiguredException">Another dev hub has it.</exception>
    public static DataFolderLock Take(string dataFolder)
    {
        PrivateFolder.Create(dataFolder);
        try
        {
            return new(
                new FileStream(
                    Path.Combine(dataFolder, "devhub.lock"),
                    FileMode.OpenOrCreate,
                    FileAccess.ReadWrite,
                    FileShare.None
                )
            );
        }
        catch (IOException)
        {
            throw new MisconfiguredException(
                $"Another dev hub uses the data folder '{dataFolder}'. Stop it, or give this one another folder (--data) and address (--address 127.0.0.2)."
            );
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();
}
