using System.Runtime.InteropServices;
using EdgeDm.Testing;

namespace EdgeDm.Benchmarks;

/// <summary>Where build and publish left a project's program.</summary>
internal static class Built
{
    // .../bin/Release/net10.0/
    private static readonly string[] Folders = AppContext.BaseDirectory.TrimEnd('/').Split('/');

    /// <summary>That this program was built in, for example <c>Release</c>.</summary>
    public static string Configuration => Folders[^2];

    /// <summary>The program of a project, for example of <c>modules/tools/DevHub</c>.</summary>
    /// <exception cref="BenchException">It is not built.</exception>
    public static string Program(string project)
    {
        var name = "EdgeDm." + Path.GetFileName(project);
        var path = Path.Combine(RepositoryRoot.Path, project, "bin", Configuration, Folders[^1], name);
        return File.Exists(path) ? path : throw new BenchException($"{path} is missing; scripts/bench builds it.");
    }

    /// <summary>The folder into which a project was published for this machine.</summary>
    /// <exception cref="BenchException">It was not.</exception>
    public static string Published(string project)
    {
        var runtime = $"linux-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        var path = Path.Combine(RepositoryRoot.Path, project, "bin", runtime);
        return Directory.Exists(path)
            ? path
            : throw new BenchException($"{path} is missing; scripts/bench publishes it.");
    }
}
