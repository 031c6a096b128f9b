using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Updates.Handlers.Script;

/// <summary><c>handlerProperties</c> of a script step.</summary>
/// <param name="ScriptFileName">One of the step's files.</param>
/// <param name="Arguments">Parted by single spaces, without quoting; empty ones are dropped.</param>
/// <param name="InstalledCriteria">Given to the script as it is; null when absent.</param>
/// <param name="ApiVersion">Null counts as <c>1.0</c>.</param>
/// <param name="SwuFileName">One of the step's files, given to the script as <c>--swu-file</c>; null for a plain script.</param>
internal sealed record ScriptProperties(
    string ScriptFileName,
    IReadOnlyList<string> Arguments,
    string? InstalledCriteria,
    string? ApiVersion,
    string? SwuFileName = null
)
{
    /// <summary>Reads them; <c>manifestMalformed</c> names the wrong one.</summary>
    public static ScriptProperties Read(ManifestStep step, bool takesImage = false)
    {
        var properties = new StepProperties(step);
        return new(
            properties.RequiredText("scriptFileName"),
            (properties.Text("arguments") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries),
            properties.Text("installedCriteria"),
            properties.Text("apiVersion"),
            takesImage ? properties.RequiredText("swuFileName") : null
        );
    }
}
