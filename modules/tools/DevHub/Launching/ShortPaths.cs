using System.Security.Cryptography;
using System.Text;

namespace EdgeDm.DevHub.Launching;

/// <summary>
/// Short names for long places: a Unix socket's path has at most 107 bytes, and a clone can lie deep. One private folder
/// <c>/tmp/edm-&lt;uid&gt;-&lt;hash of the data folder&gt;</c> holds the workload sockets, and a symbolic link to the data folder's
/// volumes, so that a module can listen in a volume too.
/// </summary>
public sealed class ShortPaths : IDisposable
{
    /// <summary>Bytes of a Unix socket's path that the kernel takes, without the closing zero.</summary>
    public const int LongestSocketPath = 107;

    /// <summary>Bytes that a volume's short path leaves for what a module makes in it.</summary>
    public const int ReservedInVolume = 40;

    private const string SocketSuffix = ".sock";
    private const string VolumesLink = "v";

    private readonly string folder;
    private readonly string volumes;

    private ShortPaths(string folder, string volumes)
    {
        this.folder = folder;
        this.volumes = volumes;
    }

    /// <summary>Where volumes really are: <c>&lt;data&gt;/volumes</c>.</summary>
    public static string VolumesOf(string dataFolder) => Path.Combine(Path.GetFullPath(dataFolder), "volumes");

    /// <summary>Makes the short folder, or takes it over from an earlier dev hub of the same user and data folder.</summary>
    /// <param name="dataFolder">The dev hub's data folder.</param>
    /// <param name="temporary">Where short folders lie; an option for tests.</param>
    /// <exception cref="IOException">Somebody else has put something at this name.</exception>
    public static ShortPaths Open(string dataFolder, string temporary = "/tmp")
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(dataFolder))));
        var paths = new ShortPaths(
            Path.Combine(temporary, $"edm-{PrivateFolder.UserId}-{hash[..12]}"),
            VolumesOf(dataFolder)
        );
        PrivateFolder.Claim(paths.folder);
        Directory.CreateDirectory(paths.volumes);
        var link = Path.Combine(paths.folder, VolumesLink);
        File.Delete(link);
        File.CreateSymbolicLink(link, paths.volumes);
        return paths;
    }

    /// <summary>Path of a module's workload socket.</summary>
    public string WorkloadSocket(string moduleId)
    {
        var plain = Path.Combine(folder, moduleId + SocketSuffix);
        var fits = Encoding.UTF8.GetByteCount(plain) <= LongestSocketPath;
        // SDKs send the socket's name in the Host header, which not every character may stand in.
        return fits && moduleId.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            ? plain
            : Path.Combine(
                folder,
                $"m-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(moduleId)))[..24]}{SocketSuffix}"
            );
    }

    /// <summary>Short path of a named volume; made when missing.</summary>
    /// <exception cref="ArgumentException">The name is none of a volume, or too long.</exception>
    public string Volume(string name)
    {
        var path = Path.Combine(folder, VolumesLink, name);
        if (!IsVolumeName(name) || Encoding.UTF8.GetByteCount(path) > LongestSocketPath - ReservedInVolume)
        {
            throw new ArgumentException(
                $"'{name}' cannot be the name of a volume: use letters, digits, '_', '.', '-', beginning with a letter or digit, at most {LongestSocketPath - ReservedInVolume - Path.Combine(folder, VolumesLink).Length - 1} of them."
            );
        }
        Directory.CreateDirectory(Path.Combine(volumes, name));
        return path;
    }

    /// <summary>Removes the short folder. What lies in volumes stays: only the link to them goes.</summary>
    public void Dispose()
    {
        File.Delete(Path.Combine(folder, VolumesLink));
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Docker's rule for names of volumes.</summary>
    public static bool IsVolumeName(string name) =>
        name.Length > 1
        && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');
}
