using EdgeDm.DevHub.Deployment;

namespace EdgeDm.DevHub.Launching;

/// <summary>Finds the program that a module's image holds, where it was built.</summary>
public sealed class ModulePrograms
{
    private readonly ModuleCatalog catalog;
    private readonly string configuration;
    private readonly string? published;
    private readonly IReadOnlyDictionary<string, string> given;

    /// <summary>Knows where to look.</summary>
    /// <param name="catalog">Folders of the modules that are built here.</param>
    /// <param name="configuration"><c>Release</c> or <c>Debug</c>: which build of them.</param>
    /// <param name="published">A folder of published programs that is looked at instead.</param>
    /// <param name="given">Programs by module, which win: of modules that are not built here.</param>
    public ModulePrograms(
        ModuleCatalog catalog,
        string configuration,
        string? published,
        IReadOnlyDictionary<string, string> given
    )
    {
        this.catalog = catalog;
        this.configuration = configuration;
        this.published = published;
        this.given = given;
    }

    /// <summary>Path of the program.</summary>
    /// <exception cref="FileNotFoundException">There is none; says how to get one.</exception>
    public string Find(ModuleDeployment module)
    {
        if (given.TryGetValue(module.Id, out var program))
        {
            return File.Exists(program)
                ? program
                : throw new FileNotFoundException($"The program '{program}' that was given for it does not exist.");
        }
        var folder = catalog.FolderOfImage(module.Image);
        var name = folder is null ? module.Id : Path.GetFileName(folder);
        if (published is not null)
        {
            return ProgramIn(published, name)
                ?? ProgramIn(Path.Combine(published, name), name)
                ?? throw new FileNotFoundException($"There is no program '{name}' in '{published}'.");
        }
        if (folder is null)
        {
            throw new FileNotFoundException(
                $"Its image {module.Image} is not built here. Name its program with --program {module.Id}=PATH, or leave it out with --except {module.Id}."
            );
        }
        var built = Path.Combine(folder, "bin", configuration);
        return (Directory.Exists(built) ? Directory.GetDirectories(built) : [])
                .Select(framework => ProgramIn(framework, name))
                .FirstOrDefault(path => path is not null)
            ?? throw new FileNotFoundException(
                $"It is not built: '{built}' holds no program '{name}'. Run: dotnet build -c {configuration} \"{folder}\""
            );
    }

    // The project may put a prefix before the folder's name: Contoso.Filter in modules/Filter.
    private static string? ProgramIn(string folder, string name)
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }
        const UnixFileMode executable = UnixFileMode.UserExecute;
        return Directory
            .EnumerateFiles(folder)
            .FirstOrDefault(path =>
                (Path.GetFileName(path) == name || path.EndsWith("." + name, StringComparison.Ordinal))
                && (File.GetUnixFileMode(path) & executable) == executable
            );
    }
}
