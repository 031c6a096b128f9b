using System.Diagnostics;

namespace EdgeDm.EndToEnd.Tests.ClearEnds;

/// <summary>
/// A small file system of its own over each module's folder and over the package store: the dev hub and all that it launches run in a
/// mount namespace, which goes with the last of them.
/// </summary>
internal static class SmallDisks
{
    private const string Mount = """
        folder=$1/volumes
        shift
        for disk in edgedm-device-management=1m edgedm-firmware-download=1m edgedm-telemetry=1m edgedm-store=8m edgedm-host-access=24m; do
          mkdir -p "$folder/${disk%=*}" && mount -t tmpfs -o "size=${disk#*=},mode=700" none "$folder/${disk%=*}" || exit 1
        done
        exec "$@"
        """;

    /// <summary>Why there can be no such file systems here; null when there can.</summary>
    public static string? Obstacle { get; } = FindObstacle();

    /// <summary>What starts the dev hub's program among them.</summary>
    public static IReadOnlyList<string> Launcher(string dataFolder) =>
        ["unshare", "-rm", "sh", "-c", Mount, "sh", dataFolder];

    /// <summary>A path as the processes of the namespace see it.</summary>
    /// <param name="process">One of them.</param>
    /// <param name="path">Absolute.</param>
    public static string Inside(int process, string path) => $"/proc/{process}/root{path}";

    /// <summary>Takes all space of a folder's file system but <paramref name="leave"/> bytes, until disposed.</summary>
    public static IDisposable Fill(string folder, long leave = 0) => new Filler(Path.Combine(folder, "filler"), leave);

    private static string? FindObstacle()
    {
        try
        {
            using var probe = Process.Start(
                new ProcessStartInfo("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"])
                {
                    UseShellExecute = false,
                    RedirectStandardError = true,
                }
            )!;
            var error = probe.StandardError.ReadToEnd();
            probe.WaitForExit();
            return probe.ExitCode == 0 ? null : $"a tmpfs cannot be mounted in a namespace here: {error.Trim()}";
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            return $"the program 'unshare' is missing: {error.Message}";
        }
    }

    private sealed class Filler : IDisposable
    {
        private const int Piece = 4096;

        private readonly string path;

        public Filler(string path, long leave)
        {
            this.path = path;
            var wanted = new DriveInfo(Path.GetDirectoryName(path)!).AvailableFreeSpace - leave;
            using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            try
            {
                while (leave == 0 || file.Length < wanted)
                {
                    file.Write(new byte[Piece]);
                }
            }
            catch (IOException)
            {
                // Full, as it shall be.
            }
        }

        public void Dispose() => File.Delete(path);
    }
}
