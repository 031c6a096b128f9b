using System.Collections.Frozen;
using System.Text;

namespace EdgeDm.Updates;

/// <summary>Which names a file of an update may have: one path segment that means the same on Linux and on Windows.</summary>
internal static class FileNames
{
    // Windows takes these as devices, with any extension.
    private static readonly FrozenSet<string> Devices = new[] { "CON", "PRN", "AUX", "NUL" }
        .Concat(Enumerable.Range(0, 10).SelectMany(i => new[] { $"COM{i}", $"LPT{i}" }))
        .ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Null when the name is good, else what is wrong with it.</summary>
    public static string? Complaint(string name)
    {
        if (name.Length == 0 || Encoding.UTF8.GetByteCount(name) > ManifestLimits.MaxFileNameBytes)
        {
            return $"A file name has 1 to {ManifestLimits.MaxFileNameBytes} bytes.";
        }
        if (name.Any(c => char.IsControl(c) || c is '/' or '\\' or ':' or '*' or '?' or '"' or '<' or '>' or '|'))
        {
            return "A file name is one path segment without control characters and without / \\ : * ? \" < > |.";
        }
        if (name[0] == '-' || name[^1] is '.' or ' ' || name is "." or "..")
        {
            // A leading dash would read as an option where a script passes the name on.
            return "A file name must not start with '-' nor end with '.' or a space.";
        }
        return Devices.Contains(name.Split('.')[0].TrimEnd()) ? "Windows reserves this file name." : null;
    }
}
