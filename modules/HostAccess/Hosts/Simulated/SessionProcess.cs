using System.Collections;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace EdgeDm.HostAccess.Hosts.Simulated;

/// <summary>
/// A child that leads its own session, so that nothing that ends its parent's group ends it. System.Diagnostics.Process cannot
/// do that; <c>posix_spawn</c> can, without a helper program.
/// </summary>
internal static unsafe partial class SessionProcess
{
    // glibc needs 336 and 80 bytes; musl less.
    private const int OpaqueBytes = 1024;
    private const short SetSignalDefaults = 0x04;
    private const short SetSignalMask = 0x08;
    private const short SetSession = 0x80;
    private const int ReadWrite = 2;
    private const string NullDevice = "/dev/null";

    /// <summary>
    /// Starts a program with default signal handling, standard input from the null device and standard output and error into
    /// <paramref name="output"/> (null: the null device).
    /// </summary>
    /// <returns>Its process id; wait for it with <see cref="Wait"/>, or it stays a zombie.</returns>
    /// <exception cref="Win32Exception">It could not be executed.</exception>
    public static int Start(
        string program,
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string> environment,
        string workingFolder,
        SafeHandle? output
    )
    {
        using var texts = new NativeTexts();
        var actions = stackalloc byte[OpaqueBytes];
        var attributes = stackalloc byte[OpaqueBytes];
        Check(ActionsInit(actions));
        Check(AttributesInit(attributes));
        try
        {
            Check(AddOpen(actions, 0, NullDevice, ReadWrite, 0));
            for (var descriptor = 1; descriptor <= 2; descriptor++)
            {
                Check(
                    output is null
                        ? AddOpen(actions, descriptor, NullDevice, ReadWrite, 0)
                        : AddDuplicate(actions, (int)output.DangerousGetHandle(), descriptor)
                );
            }
            Check(AddChangeFolder(actions, workingFolder));
            var signals = stackalloc byte[OpaqueBytes];
            _ = SignalEmptySet(signals);
            Check(AttributesSetMask(attributes, signals));
            // .NET ignores SIGPIPE, and an ignored signal stays ignored behind exec: a script must not inherit that.
            _ = SignalFillSet(signals);
            Check(AttributesSetDefaults(attributes, signals));
            Check(AttributesSetFlags(attributes, SetSession | SetSignalDefaults | SetSignalMask));
            Check(
                Spawn(
                    out var process,
                    program,
                    actions,
                    attributes,
                    texts.Array([program, .. arguments]),
                    texts.Array([.. environment.Select(variable => $"{variable.Key}={variable.Value}")])
                )
            );
            return process;
        }
        finally
        {
            _ = ActionsDestroy(actions);
            _ = AttributesDestroy(attributes);
        }
    }

    /// <summary>Blocks until the child has ended. Returns its exit code, or 128 + the signal that ended it.</summary>
    public static int Wait(int processId)
    {
        const int Interrupted = 4;
        int result;
        int status;
        do
        {
            result = WaitProcess(processId, out status, 0);
        } while (result < 0 && Marshal.GetLastPInvokeError() == Interrupted);
        if (result < 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
        var signal = status & 0x7f;
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal;
    }

    /// <summary>Takes note of a child that has ended, without waiting. False when none has.</summary>
    public static bool ReapAny()
    {
        const int NoHang = 1;
        return WaitProcess(-1, out _, NoHang) > 0;
    }

    /// <summary>Makes this process the parent of whatever its descendants leave behind.</summary>
    public static void AdoptOrphans()
    {
        const int SetChildSubreaper = 36;
        if (ProcessControl(SetChildSubreaper, 1, 0, 0, 0) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>This process's environment as a unit takes it.</summary>
    public static Dictionary<string, string> OwnEnvironment() =>
        Environment
            .GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal);

    private static void Check(int error)
    {
        if (error != 0)
        {
            throw new Win32Exception(error);
        }
    }

    private sealed class NativeTexts : IDisposable
    {
        private readonly List<nint> blocks = [];

        public nint* Array(IReadOnlyList<string> texts)
        {
            var array = (nint*)Allocate((texts.Count + 1) * sizeof(nint));
            for (var i = 0; i < texts.Count; i++)
            {
                var bytes = Encoding.UTF8.GetBytes(texts[i]);
                var text = (byte*)Allocate(bytes.Length + 1);
                bytes.CopyTo(new Span<byte>(text, bytes.Length));
                text[bytes.Length] = 0;
                array[i] = (nint)text;
            }
            array[texts.Count] = 0;
            return array;
        }

        public void Dispose() => blocks.ForEach(block => NativeMemory.Free((void*)block));

        private nint Allocate(int bytes)
        {
            blocks.Add((nint)NativeMemory.Alloc((nuint)bytes));
            return blocks[^1];
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Spawn(
        out int processId,
        string path,
        byte* actions,
        byte* attributes,
        nint* arguments,
        nint* environment
    );

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int ActionsInit(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int ActionsDestroy(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddOpen(byte* actions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int AddDuplicate(byte* actions, int descriptor, int newDescriptor);

    [LibraryImport(
        "libc",
        EntryPoint = "posix_spawn_file_actions_addchdir_np",
        StringMarshalling = StringMarshalling.Utf8
    )]
    private static partial int AddChangeFolder(byte* actions, string path);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int AttributesInit(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int AttributesDestroy(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int AttributesSetFlags(byte* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int AttributesSetMask(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int AttributesSetDefaults(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    private static partial int SignalEmptySet(byte* signals);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    private static partial int SignalFillSet(byte* signals);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    private static partial int WaitProcess(int processId, out int status, int options);

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int ProcessControl(int option, nuint a, nuint b, nuint c, nuint d);
}
