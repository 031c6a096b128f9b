namespace EdgeDm.DevHub.Deployment;

/// <summary>The values of <c>${NAME}</c>: the process's environment, then the <c>.env</c> file beside the template.</summary>
public sealed class TemplateVariables
{
    private readonly IReadOnlyDictionary<string, string> environment;
    private readonly Dictionary<string, string> file;

    /// <summary>Over given values.</summary>
    /// <param name="environment">Wins.</param>
    /// <param name="file">Lines of a <c>.env</c> file.</param>
    public TemplateVariables(IReadOnlyDictionary<string, string> environment, IEnumerable<string> file)
    {
        this.environment = environment;
        this.file = new(StringComparer.Ordinal);
        foreach (var line in file)
        {
            Add(line.Trim());
        }
    }

    /// <summary>Over the process's environment and the <c>.env</c> file of a folder, if there is one.</summary>
    public static TemplateVariables Of(string folder)
    {
        var path = Path.Combine(folder, ".env");
        return new(
            Environment
                .GetEnvironmentVariables()
                .Cast<System.Collections.DictionaryEntry>()
                .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "", StringComparer.Ordinal),
            File.Exists(path) ? File.ReadLines(path) : []
        );
    }

    /// <summary>The value, or null.</summary>
    public string? Find(string name) => environment.GetValueOrDefault(name) ?? file.GetValueOrDefault(name);

    // The common subset of what dotenv readers take: KEY=value, quotes around the value, export, whole-line comments.
    private void Add(string line)
    {
        var equals = line.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0 || line[0] == '#')
        {
            return;
        }
        const string export = "export ";
        var name = line[..equals].Trim();
        name = name.StartsWith(export, StringComparison.Ordinal) ? name[export.Length..].Trim() : name;
        var value = line[(equals + 1)..].Trim();
        file[name] = value.Length > 1 && value[0] == value[^1] && value[0] is '"' or '\'' ? value[1..^1] : value;
    }
}
