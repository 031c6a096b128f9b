namespace EdgeDm.Durable;

/// <summary>Tells a full disk from other errors of the file system.</summary>
public static class FullDisk
{
    private const int NoSpaceLeft = 28; // ENOSPC
    private const int QuotaExceeded = 122; // EDQUOT
    private const int WindowsDiskFull = unchecked((int)0x80070070);

    /// <summary>True when a write failed for want of space.</summary>
    public static bool IsCauseOf(Exception error) =>
        error.HResult is NoSpaceLeft or QuotaExceeded or WindowsDiskFull
        // Preallocation reports a full disk without the system's number.
        || error.Message.Contains("disk", StringComparison.OrdinalIgnoreCase)
            && error.Message.Contains("full", StringComparison.OrdinalIgnoreCase);

    /// <summary>Bytes that are free to this program where the folder lies.</summary>
    public static long AvailableIn(string folder) => new DriveInfo(folder).AvailableFreeSpace;
}
