namespace EdgeDm.Testing;

/// <summary>Programs of this repository as the build of these tests' configuration left them.</summary>
internal static class BuiltProgram
{
    /// <summary>The configuration, <c>Release</c> or <c>Debug</c>.</summary>
    public static string Configuration => Parts[^2];

    /// <summary>
    /// Folder of the modules' programs as they are deployed, which start in a third of the time; null = as built. What
    /// <c>scripts/publish</c> made, named by <c>EDGEDM_TEST_PROGRAMS</c>.
    /// </summary>
    public static string? Published =>
        Environment.GetEnvironmentVariable("EDGEDM_TEST_PROGRAMS") is { Length: > 0 } folder ? folder : null;

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
