namespace EdgeDm.Testing;

/// <summary>Debian's broker and its client, where they are installed.</summary>
public static class Mosquitto
{
    /// <summary>The broker's program; null when it is not installed.</summary>
    public static string? Server { get; } = Find("mosquitto");

    /// <summary><c>mosquitto_pub</c>; null when it is not installed.</summary>
    public static string? Publisher { get; } = Find("mosquitto_pub");

    // Debian has daemons in folders that not every user's PATH names.
    private static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Append("/usr/sbin")
            .Append("/usr/local/sbin")
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
}
