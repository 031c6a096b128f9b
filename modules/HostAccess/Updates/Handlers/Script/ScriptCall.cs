namespace EdgeDm.HostAccess.Updates.Handlers.Script;

/// <summary>One call of a script: its path, arguments and result file, to the letter of Device Update's script handler.</summary>
internal sealed class ScriptCall(StepWork work, ScriptProperties properties, StepAction action)
{
    private const string NotAvailable = "n/a";

    private static readonly string[] Words = ["is-installed", "download", "install", "apply"];

    /// <summary>The step.</summary>
    public StepWork Work { get; } = work;

    /// <summary>The action.</summary>
    public StepAction Action { get; } = action;

    public string ScriptPath { get; } = Path.Combine(work.Folder, properties.ScriptFileName);

    public string ResultPath { get; } = Path.Combine(work.Folder, $"action_{WordOf(action)}_aduc_result.json");

    /// <summary>Action, image, the maker's arguments, then ours.</summary>
    public IReadOnlyList<string> Arguments =>
        [
            .. ActionArguments(),
            .. properties.SwuFileName is { } image ? new[] { "--swu-file", Path.Combine(Work.Folder, image) } : [],
            .. Substitute(properties.Arguments),
            "--work-folder",
            Work.Folder,
            "--result-file",
            ResultPath,
            .. properties.InstalledCriteria is { } criteria ? new[] { "--installed-criteria", criteria } : [],
        ];

    /// <summary>The action as scripts know it.</summary>
    public static string WordOf(StepAction action) => Words[(int)action];

    private string[] ActionArguments() =>
        properties.ApiVersion switch
        {
            null or "1.0" => [$"--action-{WordOf(Action)}"],
            "1.1" => ["--action", WordOf(Action)],
            // Device Update passes no action with a version that it does not know.
            _ => [],
        };

    /// <summary>
    /// Replaces what stands for a component's properties. A gateway is no proxy for components, so each is <c>n/a</c>.
    /// </summary>
    private static IEnumerable<string> Substitute(IReadOnlyList<string> arguments)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            switch (arguments[i])
            {
                case "--component-id-val":
                case "--component-name-val":
                case "--component-manufacturer-val":
                case "--component-model-val":
                case "--component-version-val":
                case "--component-group-val":
                    yield return NotAvailable;
                    break;
                case "--component-prop-val":
                    i++; // The property's name.
                    yield return NotAvailable;
                    break;
                default:
                    yield return arguments[i];
                    break;
            }
        }
    }
}
