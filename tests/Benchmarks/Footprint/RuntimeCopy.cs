using System.Runtime.InteropServices;

namespace EdgeDm.Benchmarks.Footprint;

/// <summary>
/// The .NET runtime once more, as other files: the kernel shares a file's pages among all who map it, and a share that the dev
/// hub, this program or an IDE takes would make what is measured look smaller than it is on a gateway.
/// </summary>
internal sealed class RuntimeCopy
{
    private readonly string root;

    private RuntimeCopy(string root) => this.root = root;

    /// <summary>The program <c>dotnet</c> that runs this one; not of the copy.</summary>
    public static string OriginalProgram => Path.Combine(OriginalRoot, "dotnet");

    // .../shared/Microsoft.NETCore.App/10.0.0/
    private static string OriginalRuntime =>
        Path.TrimEndingDirectorySeparator(RuntimeEnvironment.GetRuntimeDirectory());

    private static string OriginalRoot => Path.GetFullPath(Path.Combine(OriginalRuntime, "..", "..", ".."));

    /// <summary>Copies the frameworks of the major version that runs this program, about 100 MB, into a folder.</summary>
    public static RuntimeCopy Make(string folder)
    {
        Copy(Path.Combine(OriginalRoot, "host", "fxr"));
        var versions = Directory
            .EnumerateDirectories(Path.Combine(OriginalRoot, "shared"))
            .SelectMany(framework => Directory.EnumerateDirectories(framework, $"{Environment.Version.Major}.*"));
        foreach (var version in versions)
        {
            Copy(version);
        }
        return new(folder);

        void Copy(string source)
        {
            foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
            {
                var target = Path.Combine(folder, Path.GetRelativePath(OriginalRoot, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }
        }
    }

    /// <summary>Makes programs that are started with this environment run from the copy, and those they start too.</summary>
    public void SetIn(IDictionary<string, string?> environment)
    {
        // A root for one architecture would win.
        foreach (var name in environment.Keys.Where(IsRoot).ToArray())
        {
            environment.Remove(name);
        }
        environment["DOTNET_ROOT"] = root;

        static bool IsRoot(string name) => name.StartsWith("DOTNET_ROOT", StringComparison.Ordinal);
    }

    /// <summary>Refuses to measure what does not run from the copy.</summary>
    /// <exception cref="BenchException">It does not.</exception>
    public void RequireUsedBy(int processId)
    {
        var isUsed = File.ReadLines($"/proc/{processId}/maps")
            .Any(line => line.Contains(root, StringComparison.Ordinal));
        if (!isUsed)
        {
            throw new BenchException($"Process {processId} does not run from the copy of the runtime in {root}.");
        }
    }
}
