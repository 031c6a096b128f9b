using EdgeDm.Contracts;
using EdgeDm.Durable;

namespace EdgeDm.FirmwareDownload.Store;

/// <summary>Free space of the store, and what the disk says, in the registry's words.</summary>
internal static class DiskSpace
{
    /// <summary>Throws <c>noSpace</c> unless <paramref name="needed"/> bytes are free where <paramref name="folder"/> lies.</summary>
    public static void Require(string folder, long needed)
    {
        var available = FullDisk.AvailableIn(folder);
        if (available < needed)
        {
            throw NoSpace(folder, needed, available);
        }
    }

    /// <summary>An error of the file system: <c>noSpace</c> or <c>storeDamaged</c>.</summary>
    public static EdgeDmException Error(string path, Exception error)
    {
        var folder = Path.GetDirectoryName(path)!;
        return FullDisk.IsCauseOf(error)
            ? NoSpace(folder, 0, FullDisk.AvailableIn(folder))
            : ErrorRegistry.StoreDamaged.Exception(
                Subsystems.FirmwareDownload,
                Path.GetFileName(path),
                $"The package store cannot be written or read ({error.GetType().Name}: {error.Message})."
            );
    }

    private static EdgeDmException NoSpace(string folder, long needed, long available) =>
        ErrorRegistry.NoSpace.Exception(
            Subsystems.FirmwareDownload,
            folder,
            needed > 0
                ? $"The package store needs {needed} bytes and has {available}."
                : $"The disk of the package store is full; {available} bytes are free.",
            ("needed", needed.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            ("available", available.ToString(System.Globalization.CultureInfo.InvariantCulture))
        );
}
