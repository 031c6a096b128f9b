namespace EdgeDm.DevHub.Launching;

/// <summary>What a module wrote, kept in a file of bounded size with a few older ones (<c>.1</c> is the newest of them).</summary>
internal sealed class ModuleLog : IDisposable
{
    /// <summary>Largest file.</summary>
    public const long DefaultLargestFile = 8 * 1024 * 1024;

    /// <summary>Older files kept.</summary>
    public const int OlderFiles = 2;

    private readonly Lock gate = new();
    private readonly string path;
    private readonly long largestFile;
    private FileStream? file;
    private bool closed;

    public ModuleLog(string path, long largestFile = DefaultLargestFile)
    {
        this.path = path;
        this.largestFile = largestFile;
    }

    /// <summary>Adds a line and its end.</summary>
    public void WriteLine(ReadOnlySpan<byte> line)
    {
        lock (gate)
        {
            if (closed)
            {
                return; // A process that outlived its module and the hub's stop: nobody is there to read it.
            }
            file ??= Open();
            if (file.Length > 0 && file.Length + line.Length + 1 > largestFile)
            {
                file.Dispose();
                Rotate();
                file = Open();
            }
            file.Write(line);
            file.WriteByte((byte)'\n');
            file.Flush();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            closed = true;
            file?.Dispose();
        }
    }

    private FileStream Open()
    {
        PrivateFolder.Create(Path.GetDirectoryName(path)!);
        return new(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
    }

    private void Rotate()
    {
        for (var number = OlderFiles; number > 0; number--)
        {
            var younger = number == 1 ? path : $"{path}.{number - 1}";
            if (File.Exists(younger))
            {
                File.Move(younger, $"{path}.{number}", overwrite: true);
            }
        }
    }
}
