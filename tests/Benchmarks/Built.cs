using EdgeDm.Testing;

namespace EdgeDm.Benchmarks;

/// <summary>Where the build left a project's program, of the configuration that this program was built in.</summary>
internal static class Built
{
    // .../bin/Release/net10.0/
    private static readonly string[] Folders = AppContext.BaseDirectory.TrimEnd('/').Split('/');

    /// <summary>For example <c>Release</c>.</summary>
    public static string Configuration => Folders[^2];

    /// <summary>The program of a project, for example of <c>modules/tools/DevHub</c>.</summary>
    /// <exception cref="BenchException">It is not built.</exception>
    public static string Program(string project) => Find(project, "");

    /// <summary>The assembly of a project, for <c>dotnet</c>.</summary>
    /// <exception cref="BenchException">It is not built.</exception>
    public static string Assembly(string project) => Find(project, ".dll");

    private static string Find(string project, string ending)
    {
        var path = Path.Combine(
            RepositoryRoot.Path,
            project,
            "bin",
            Configuration,
            Folders[^1],
            "EdgeDm." + Path.GetFileName(project) + ending
        );
        return File.Exists(path) ? path : throw new BenchException($"{path} is missing; scripts/bench builds it.");
    }
}
