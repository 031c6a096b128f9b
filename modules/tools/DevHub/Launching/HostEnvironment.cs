using System.Collections;

namespace EdgeDm.DevHub.Launching;

/// <summary>What a module's process gets of the developer's environment: what programs need to run, and nothing else.</summary>
internal static class HostEnvironment
{
    private static readonly HashSet<string> Names = new(StringComparer.Ordinal)
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "TZ",
        "TMPDIR",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    };

    // The .NET runtime's place and settings, and locales.
    private static readonly string[] Prefixes = ["DOTNET_", "LC_"];

    public static Dictionary<string, string> PassedThrough() =>
        Environment
            .GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .Select(entry => (Name: (string)entry.Key, Value: (string?)entry.Value ?? ""))
            .Where(variable =>
                Names.Contains(variable.Name)
                || Prefixes.Any(prefix => variable.Name.StartsWith(prefix, StringComparison.Ordinal))
            )
            .ToDictionary(variable => variable.Name, variable => variable.Value, StringComparer.Ordinal);
}
