using System.Globalization;

namespace EdgeDm.EndToEnd.Tests.Clock;

/// <summary>
/// A wall clock that the tests' processes share and that can be set while they run, by libfaketime. The machine's own clock is never touched, nor is
/// the monotonic one.
/// </summary>
internal sealed class FakedClock : IDisposable
{
    /// <summary>Said when the library is not there.</summary>
    public const string Missing =
        "libfaketime is not installed, so no clock is stepped here. Install it: apt-get install faketime (Debian, Ubuntu), dnf install libfaketime (Fedora).";

    private static readonly string[] Places =
    [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
        "/usr/lib/arm-linux-gnueabihf/faketime/libfaketimeMT.so.1",
        "/usr/lib64/faketime/libfaketimeMT.so.1",
        "/usr/lib/faketime/libfaketimeMT.so.1",
    ];

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("clock");

    /// <summary>Begins with the right time.</summary>
    public FakedClock() => Step(0);

    /// <summary>The library, or null.</summary>
    public static string? Library => Array.Find(Places, File.Exists);

    /// <summary>What a process needs to have this clock.</summary>
    public IReadOnlyDictionary<string, string> Environment =>
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["LD_PRELOAD"] = Library!,
            ["FAKETIME_TIMESTAMP_FILE"] = Offset,
            ["FAKETIME_NO_CACHE"] = "1",
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
            // The library's own choice for some versions of glibc makes every timed wait of .NET end at once.
            ["FAKETIME_FORCE_MONOTONIC_FIX"] = "0",
            ["NO_FAKE_STAT"] = "1",
        };

    private string Offset => Path.Combine(folder.FullName, "offset");

    /// <summary>Sets the clock, so many years from the right time.</summary>
    public void Step(int years)
    {
        var next = Offset + ".next";
        File.WriteAllText(
            next,
            string.Create(CultureInfo.InvariantCulture, $"{(years < 0 ? "-" : "+")}{Math.Abs(years)}y")
        );
        File.Move(next, Offset, overwrite: true);
    }

    public void Dispose() => folder.Delete(recursive: true);
}
