using System.Runtime.InteropServices;

namespace EdgeDm.DevHub.Launching;

/// <summary>How <c>posix_spawn</c> starts a module: own session, default signals, no input, one pipe for its output.</summary>
internal sealed partial class SpawnSetup : IDisposable
{
    // The C library's types are opaque; theirs are below 400 bytes.
    private const int OpaqueSize = 1024;

    // The .NET runtime ignores SIGPIPE and handles others; an ignored signal stays ignored in a new program.
    private static readonly int[] DefaultSignals = [1, 2, 3, 13, 15, 17, 18, 20, 21, 22];

    private bool disposed;

    public SpawnSetup(int output)
    {
        Actions = Marshal.AllocHGlobal(OpaqueSize);
        Attributes = Marshal.AllocHGlobal(OpaqueSize);
        Check(ActionsInit(Actions));
        Check(AttributesInit(Attributes));
        const int readOnly = 0; // O_RDONLY
        Check(AddOpen(Actions, 0, "/dev/null", readOnly, 0));
        Check(AddDuplicate(Actions, output, 1));
        Check(AddDuplicate(Actions, output, 2));
        const short signalDefaults = 0x04; // POSIX_SPAWN_SETSIGDEF
        const short signalMask = 0x08; // POSIX_SPAWN_SETSIGMASK
        const short ownSession = 0x80; // POSIX_SPAWN_SETSID
        Check(SetFlags(Attributes, signalDefaults | signalMask | ownSession));
        var set = Marshal.AllocHGlobal(OpaqueSize);
        try
        {
            Check(SignalSetEmpty(set));
            Check(SetSignalMask(Attributes, set));
            foreach (var signal in DefaultSignals)
            {
                Check(SignalSetAdd(set, signal));
            }
            Check(SetSignalDefaults(Attributes, set));
        }
        finally
        {
            Marshal.FreeHGlobal(set);
        }
    }

    public nint Actions { get; }

    public nint Attributes { get; }

    public void Dispose()
    {
        if (disposed)
        {
            return;
        }
        disposed = true;
        _ = ActionsDestroy(Actions);
        _ = AttributesDestroy(Attributes);
        Marshal.FreeHGlobal(Actions);
        Marshal.FreeHGlobal(Attributes);
    }

    private static void Check(int error)
    {
        if (error != 0)
        {
            throw new IOException($"Cannot prepare a process: {Marshal.GetPInvokeErrorMessage(error)}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int ActionsInit(nint actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int ActionsDestroy(nint actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddOpen(nint actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int AddDuplicate(nint actions, int descriptor, int newDescriptor);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int AttributesInit(nint attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int AttributesDestroy(nint attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int SetFlags(nint attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int SetSignalMask(nint attributes, nint set);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int SetSignalDefaults(nint attributes, nint set);

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    private static partial int SignalSetEmpty(nint set);

    [LibraryImport("libc", EntryPoint = "sigaddset")]
    private static partial int SignalSetAdd(nint set, int signal);
}

/// <summary>An array of C strings that ends with a null pointer.</summary>
internal sealed class CStrings : IDisposable
{
    private readonly nint[] strings;

    public CStrings(IReadOnlyList<string> texts)
    {
        strings = [.. texts.Select(Marshal.StringToCoTaskMemUTF8), 0];
        Pointer = Marshal.AllocHGlobal(strings.Length * nint.Size);
        Marshal.Copy(strings, 0, Pointer, strings.Length);
    }

    public nint Pointer { get; }

    public void Dispose()
    {
        foreach (var text in strings)
        {
            Marshal.FreeCoTaskMem(text);
        }
        Marshal.FreeHGlobal(Pointer);
    }
}
