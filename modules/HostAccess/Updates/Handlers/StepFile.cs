using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Updates.Handlers;

/// <summary>The one file of a step that has exactly one, known by the end of its name.</summary>
internal static class StepFile
{
    /// <summary>Throws <c>manifestMalformed</c> unless the step has one file with this extension, and no other.</summary>
    /// <param name="manifest">The step's.</param>
    /// <param name="step">The step.</param>
    /// <param name="extension">For example <c>.swu</c>.</param>
    /// <param name="meaning">What the file is, for people; empty when the extension says it.</param>
    public static void Require(UpdateManifest manifest, ManifestStep step, string extension, string meaning = "")
    {
        if (
            step.Files.Length != 1
            || !manifest.Files[step.Files[0]].FileName.EndsWith(extension, StringComparison.Ordinal)
        )
        {
            throw new StepProperties(step).Wrong("files", $"must be one file '*{extension}'{meaning}");
        }
    }

    /// <summary>Its staged copy.</summary>
    /// <exception cref="InvalidOperationException">There is none, or another one beside it.</exception>
    public static string PathOf(StepWork work, string extension) =>
        Directory.GetFiles(work.Folder, $"*{extension}").Single();
}
