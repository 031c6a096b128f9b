namespace EdgeDm.Testing;

/// <summary>Where this repository is checked out.</summary>
public static class RepositoryRoot
{
    /// <summary>The folder that holds EdgeDm.sln.</summary>
    public static string Path { get; } = Find(AppContext.BaseDirectory);

    private static string Find(string folder) =>
        File.Exists(System.IO.Path.Combine(folder, "EdgeDm.sln"))
            ? folder
            : Find(
                Directory.GetParent(folder)?.FullName
                    ?? throw new InvalidOperationException("The tests do not run from within the repository.")
            );
}
