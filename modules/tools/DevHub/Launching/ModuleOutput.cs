using System.Buffers;

namespace EdgeDm.DevHub.Launching;

/// <summary>Carries a module's output, line by line, to its log and to the console.</summary>
internal sealed class ModuleOutput
{
    /// <summary>A longer line is shown and kept in pieces.</summary>
    public const int LongestLine = 64 * 1024;

    private readonly string moduleId;
    private readonly ModuleLog log;
    private readonly ModuleConsole console;

    public ModuleOutput(string moduleId, ModuleLog log, ModuleConsole console)
    {
        this.moduleId = moduleId;
        this.log = log;
        this.console = console;
    }

    /// <summary>Reads until the end.</summary>
    public async Task PumpAsync(Stream stream)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(LongestLine);
        try
        {
            var filled = 0;
            int read;
            while ((read = await stream.ReadAsync(buffer.AsMemory(filled, LongestLine - filled))) > 0)
            {
                filled += read;
                filled = TakeLines(buffer, filled);
            }
            if (filled > 0)
            {
                Write(buffer.AsSpan(0, filled));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Leaves the beginning of an unfinished line at the buffer's start and returns its length.
    private int TakeLines(byte[] buffer, int filled)
    {
        var start = 0;
        int length;
        while ((length = buffer.AsSpan(start, filled - start).IndexOf((byte)'\n')) >= 0)
        {
            Write(buffer.AsSpan(start, length));
            start += length + 1;
        }
        if (start == 0 && filled == LongestLine)
        {
            Write(buffer.AsSpan(0, filled));
            return 0;
        }
        buffer.AsSpan(start, filled - start).CopyTo(buffer);
        return filled - start;
    }

    private void Write(ReadOnlySpan<byte> line)
    {
        var text = line.TrimEnd((byte)'\r');
        log.WriteLine(text);
        console.WriteLine(moduleId, text);
    }
}
