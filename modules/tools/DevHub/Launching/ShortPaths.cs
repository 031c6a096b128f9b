using System.Security.Cryptography;
using System.Text;

namespace EdgeDm.DevHub.Launching;

/// <summary>
/// Paths of sockets, and of volumes in which modules make sockets. They lie in the data folder; but a Unix socket's path has
/// at most 107 bytes, and a clone can lie deep. Then a private folder <c>/tmp/edm-&lt;uid&gt;-&lt;hash of the data folder&gt;</c>
/// holds the workload sockets and a symbolic link to the volumes.
/// </summary>
public sealed class ShortPaths : IDisposable
{
    /// <summary>Bytes of a Unix socket's path that the kernel takes, without the closing zero.</summary>
    public const int LongestSocketPath = 107;

    /// <summary>Bytes that a volume's path leaves for what a module makes in it.</summary>
    public const int ReservedInVolume = 40;

    private const string VolumesLink = "v";

    private readonly Lock gate = new();
    private readonly string sockets;
    private readonly string volumes;
    private readonly string shortFolder;
    private bool isClaimed;

    private ShortPaths(string dataFolder, string temporary)
    {
        var data = Path.GetFullPath(dataFolder);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(data)));
        sockets = Path.Combine(data, "workload");
        volumes = Path.Combine(data, "volumes");
        shortFolder = Path.Combine(temporary, $"edm-{PrivateFolder.UserId}-{hash[..12]}");
        Directory.CreateDirectory(volumes);
        PrivateFolder.Create(sockets);
    }

    /// <summary>Opens the paths of a data folder, one dev hub at a time.</summary>
    /// <param name="dataFolder">The dev hub's data folder.</param>
    /// <param name="temporary">Where the short folder lies; an option for tests.</param>
    public static ShortPaths Open(string dataFolder, string temporary = "/tmp") => new(dataFolder, temporary);

    /// <summary>Path of a module's workload socket.</summary>
    /// <exception cref="IOException">A short folder is needed, and somebody else has put something at its name.</exception>
    public string WorkloadSocket(string moduleId)
    {
        // SDKs send the socket's name in the Host header, which not every character may stand in.
        var name = moduleId.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') ? moduleId : Hashed(moduleId);
        var path = Path.Combine(sockets, name + ".sock");
        if (Fits(path, LongestSocketPath))
        {
            return path;
        }
        path = Path.Combine(ShortFolder(), name + ".sock");
        return Fits(path, LongestSocketPath) ? path : Path.Combine(shortFolder, Hashed(moduleId) + ".sock");
    }

    /// <summary>Path of a named volume; made when missing.</summary>
    /// <exception cref="ArgumentException">The name is none of a volume, or too long.</exception>
    /// <exception cref="IOException">As with <see cref="WorkloadSocket"/>.</exception>
    public string Volume(string name)
    {
        if (!IsVolumeName(name))
        {
            throw new ArgumentException(
                $"'{name}' cannot be the name of a volume: use letters, digits, '_', '.', '-', beginning with a letter or digit."
            );
        }
        var path = Path.Combine(volumes, name);
        Directory.CreateDirectory(path);
        if (Fits(path, LongestSocketPath - ReservedInVolume))
        {
            return path;
        }
        path = Path.Combine(ShortFolder(), VolumesLink, name);
        return Fits(path, LongestSocketPath - ReservedInVolume)
            ? path
            : throw new ArgumentException(
                $"The volume's name '{name}' is too long: a socket in it would have a path of more than {LongestSocketPath} bytes."
            );
    }

    /// <summary>Removes the sockets and the short folder. What lies in volumes stays.</summary>
    public void Dispose()
    {
        if (Directory.Exists(sockets))
        {
            Directory.Delete(sockets, recursive: true);
        }
        if (isClaimed && Directory.Exists(shortFolder))
        {
            Directory.Delete(shortFolder, recursive: true); // Of the link to the volumes, only the link goes.
        }
    }

    private string ShortFolder()
    {
        lock (gate)
        {
            if (!isClaimed)
            {
                PrivateFolder.Claim(shortFolder);
                var link = Path.Combine(shortFolder, VolumesLink);
                File.Delete(link);
                File.CreateSymbolicLink(link, volumes);
                isClaimed = true;
            }
            return shortFolder;
        }
    }

    private static bool Fits(string path, int longest) => Encoding.UTF8.GetByteCount(path) <= longest;

    private static string Hashed(string moduleId) =>
        "m-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(moduleId)))[..24];

    // Docker's rule.
    private static bool IsVolumeName(string name) =>
        name.Length > 1
        && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-');
}
