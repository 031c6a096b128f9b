using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Updates.Handlers.Script;

/// <summary><c>handlerProperties</c> of a script step.</summary>
/// <param name="ScriptFileName">One of the step's files.</param>
/// <param name="Arguments">Parted by single spaces, without quoting; empty ones are dropped.</param>
/// <param name="InstalledCriteria">Given to the script as it is; null when absent.</param>
/// <param name="ApiVersion">Null counts as <c>1.0</c>.</param>
internal sealed record ScriptProperties(
    string ScriptFileName,
    IReadOnlyList<string> Arguments,
    string? InstalledCriteria,
    string? ApiVersion
)
{
    /// <summary>Reads them; <c>manifestMalformed</c> names the wrong one.</summary>
    public static ScriptProperties Read(ManifestStep step)
    {
        var properties = new StepProperties(step);
        return new(
            properties.Text("scriptFileName") ?? throw properties.Wrong("scriptFileName", "is missing"),
            (properties.Text("arguments") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries),
            properties.Text("installedCriteria"),
            properties.Text("apiVersion")
        );
    }
}
