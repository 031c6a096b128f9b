namespace EdgeDm.Testing;

/// <summary>Programs of this repository as the build of these tests' configuration left them.</summary>
internal static class BuiltProgram
{
    /// <summary>The configuration, <c>Release</c> or <c>Debug</c>.</summary>
    public static string Configuration => Parts[^2];

    private static string[] Parts => AppContext.BaseDirectory.TrimEnd('/').Split('/');

    /// <summary>Path of a program.</summary>
    /// <param name="project">Folder below <c>modules</c>.</param>
    public static string PathOf(string project) =>
        Path.Combine(
            RepositoryRoot.Path,
            "modules",
            project,
            "bin",
            Configuration,
            Parts[^1],
            "EdgeDm." + Path.GetFileName(project)
        );
}
