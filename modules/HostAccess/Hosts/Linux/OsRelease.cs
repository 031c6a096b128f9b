using EdgeDm.Hosting;

namespace EdgeDm.HostAccess.Hosts.Linux;

/// <summary>
/// The operating system's version, from os-release(5). A container has a file of its own about its image; there the host's has to be mounted
/// at <c>/run/host/os-release</c>, as systemd's container interface says.
/// </summary>
internal static class OsRelease
{
    private const int LongestFile = 64 * 1024;
    private const string OfTheHost = "run/host/os-release";

    /// <summary>What container engines put into every container.</summary>
    private static readonly string[] ContainerMarks = [".dockerenv", "run/.containerenv"];

    /// <summary>The keys that tell a version; the image as a whole comes first.</summary>
    private static readonly string[] VersionKeys = ["IMAGE_VERSION", "VERSION_ID", "BUILD_ID"];

    /// <param name="root">Root of the file system.</param>
    /// <exception cref="MisconfiguredException">There is no file, or no version in it.</exception>
    public static string ReadVersion(string root)
    {
        var path = Locate(root);
        try
        {
            if (new FileInfo(path).Length > LongestFile)
            {
                throw new MisconfiguredException($"{path} is longer than {LongestFile} bytes.");
            }
            var values = Parse(File.ReadLines(path));
            return VersionKeys
                    .Select(key => values.GetValueOrDefault(key))
                    .FirstOrDefault(value => value is { Length: > 0 })
                ?? throw new MisconfiguredException($"{path} has none of {string.Join(", ", VersionKeys)}.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new MisconfiguredException($"{path} cannot be read: {error.Message}");
        }
    }

    /// <summary>Values by key. Shell-like: quotes around a value, a backslash ahead of what it keeps from being special.</summary>
    public static IReadOnlyDictionary<string, string> Parse(IEnumerable<string> lines)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in lines.Select(line => line.Trim()))
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && line[0] != '#')
            {
                values[line[..equals]] = Unquote(line[(equals + 1)..]);
            }
        }
        return values;
    }

    private static string Locate(string root)
    {
        var mounted = Path.Combine(root, OfTheHost);
        if (File.Exists(mounted))
        {
            return mounted;
        }
        return ContainerMarks.Any(mark => File.Exists(Path.Combine(root, mark)))
            ? throw new MisconfiguredException(
                $"HostAccess runs in a container and {mounted} is missing; mount the host's /etc/os-release there, read-only."
            )
            : Path.Combine(root, "etc/os-release");
    }

    private static string Unquote(string value)
    {
        var quoted = value.Length >= 2 && value[0] is '"' or '\'' && value[^1] == value[0];
        var text = quoted ? value[1..^1] : value;
        if (value.StartsWith('\'') || !text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }
        var plain = new System.Text.StringBuilder();
        for (var index = 0; index < text.Length; index++)
        {
            if (text[index] == '\\' && index + 1 < text.Length)
            {
                index++;
            }
            plain.Append(text[index]);
        }
        return plain.ToString();
    }
}
