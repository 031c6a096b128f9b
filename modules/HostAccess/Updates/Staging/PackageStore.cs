using System.ComponentModel;
using System.Runtime.InteropServices;
using EdgeDm.Contracts;
using EdgeDm.Updates;
using Microsoft.Win32.SafeHandles;

namespace EdgeDm.HostAccess.Updates.Staging;

/// <summary>
/// The package store as HostAccess sees it: files that somebody less trusted wrote, named by their digest. Opened beneath the store
/// without following a link, and believed only as far as they are hashed while they are copied.
/// </summary>
internal sealed partial class PackageStore(string folder)
{
    private const string DigestFolder = "sha256";
    private const int NotFound = 2;

    private const int ReadOnly = 0;
    private const int NonBlocking = 0x800; // A pipe in the place of a file must not make the open wait for ever.
    private const int CloseOnExec = 0x80000;

    // These two differ between the processors' ABIs (asm/fcntl.h).
    private static readonly bool IsArm =
        RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64;
    private static readonly int DirectoryOnly = IsArm ? 0x4000 : 0x10000;
    private static readonly int NoFollow = IsArm ? 0x8000 : 0x20000;

    /// <summary>True when a regular file of the right size is there. Says nothing about its content.</summary>
    public bool Has(ManifestFile file)
    {
        try
        {
            using var stream = Open(file);
            return stream.Length == file.SizeInBytes;
        }
        catch (EdgeDmException error) when (error.Error.Code == ErrorRegistry.StagedFileMissing.Code)
        {
            return false;
        }
    }

    /// <summary>Throws <c>stagedFileMissing</c>, <c>storeDamaged</c> or <c>wrongSize</c> unless the file is there.</summary>
    public void Require(ManifestFile file)
    {
        using var stream = Open(file);
        RequireSize(file, stream.Length);
    }

    /// <summary>The bytes of a detached manifest's file. Whoever uses them checks their digest.</summary>
    public byte[] ReadSmall(ManifestFile file)
    {
        if (file.SizeInBytes > ManifestLimits.MaxDetachedFileBytes)
        {
            throw ErrorRegistry.TooLarge.Refusal(
                file.FileId,
                $"The detached manifest has {file.SizeInBytes} bytes; at most {ManifestLimits.MaxDetachedFileBytes} are read."
            );
        }
        using var stream = Open(file);
        RequireSize(file, stream.Length);
        var bytes = new byte[file.SizeInBytes];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>
    /// Opens a file for reading. Throws <c>stagedFileMissing</c> when there is none, <c>storeDamaged</c> when something else than a
    /// regular file lies in its place.
    /// </summary>
    public FileStream Open(ManifestFile file)
    {
        using var store = OpenAt(null, folder, DirectoryOnly, file);
        using var digests = OpenAt(store, DigestFolder, DirectoryOnly | NoFollow, file);
        var handle = OpenAt(digests, file.Sha256, NoFollow | NonBlocking, file);
        try
        {
            var stream = new FileStream(handle, FileAccess.Read, bufferSize: 0);
            var isFolder = File.GetAttributes(handle).HasFlag(FileAttributes.Directory);
            return stream.CanSeek && !isFolder ? stream : throw Damaged(file, "it is no regular file");
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException or ArgumentException)
        {
            handle.Dispose();
            throw Damaged(file, "it is no regular file");
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Throws <c>wrongSize</c> unless the size is the manifest's.</summary>
    public static void RequireSize(ManifestFile file, long size)
    {
        if (size != file.SizeInBytes)
        {
            throw ErrorRegistry.WrongSize.Refusal(
                file.FileId,
                $"File '{file.FileName}' has {size} bytes in the package store; the manifest says {file.SizeInBytes}.",
                ("fileId", file.FileId)
            );
        }
    }

    private static SafeFileHandle OpenAt(SafeFileHandle? beneath, string name, int flags, ManifestFile file)
    {
        const int CurrentFolder = -100;
        var descriptor = OpenSystemCall(
            beneath is null ? CurrentFolder : (int)beneath.DangerousGetHandle(),
            name,
            ReadOnly | CloseOnExec | flags
        );
        if (descriptor >= 0)
        {
            return new(descriptor, ownsHandle: true);
        }
        var error = Marshal.GetLastPInvokeError();
        throw error == NotFound
            ? ErrorRegistry.StagedFileMissing.Refusal(
                file.FileId,
                $"File '{file.FileName}' is not in the package store.",
                ("fileId", file.FileId),
                ("sha256", file.Sha256)
            )
            : Damaged(file, new Win32Exception(error).Message);
    }

    private static EdgeDmException Damaged(ManifestFile file, string why) =>
        ErrorRegistry.StoreDamaged.Refusal(
            file.FileId,
            $"File '{file.FileName}' cannot be read from the package store: {why}.",
            ("fileId", file.FileId)
        );

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenSystemCall(int folder, string path, int flags);
}
