using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Updates.Handlers.Script;

/// <summary>What tells <c>microsoft/script:1</c> and <c>microsoft/swupdate:2</c> apart.</summary>
/// <param name="Handler">The handler's name.</param>
/// <param name="TakesImage">The script is given an image, as <c>--swu-file</c>.</param>
internal sealed record ScriptDialect(string Handler, bool TakesImage)
{
    /// <summary>A script of the update's maker.</summary>
    public static ScriptDialect Script { get; } = new("microsoft/script:1", TakesImage: false);

    /// <summary>The same, for an image that the script hands to SWUpdate.</summary>
    public static ScriptDialect Swupdate { get; } = new("microsoft/swupdate:2", TakesImage: true);

    /// <summary>Reads a step's properties; <c>manifestMalformed</c> names the wrong one.</summary>
    public ScriptProperties Read(ManifestStep step) => ScriptProperties.Read(step, TakesImage);
}
