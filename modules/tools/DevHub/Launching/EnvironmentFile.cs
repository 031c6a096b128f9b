using System.Text;
using EdgeDm.Durable;

namespace EdgeDm.DevHub.Launching;

/// <summary>A module's environment for the hand that starts it, in a shell or a debugger.</summary>
public static class EnvironmentFile
{
    /// <summary>One <c>export NAME=value</c> per line, quoted where a shell needs it.</summary>
    public static string Format(IEnumerable<KeyValuePair<string, string>> environment) =>
        string.Concat(environment.Select(pair => $"export {pair.Key}={Quote(pair.Value)}\n"));

    /// <summary>Writes it to <c>&lt;data&gt;/env/&lt;module&gt;.env</c>, mode 0600: it may hold keys.</summary>
    /// <returns>The file.</returns>
    public static string Write(
        string dataFolder,
        string moduleId,
        IEnumerable<KeyValuePair<string, string>> environment
    )
    {
        var folder = Path.Combine(dataFolder, "env");
        PrivateFolder.Create(folder);
        var file = Path.Combine(folder, moduleId + ".env");
        AtomicFile.Write(file, Encoding.UTF8.GetBytes(Format(environment)), failpoint: null);
        return file;
    }

    private static string Quote(string value) =>
        value.Length > 0
        && value.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:=,@%+".Contains(c, StringComparison.Ordinal))
            ? value
            : $"'{value.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
