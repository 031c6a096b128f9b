using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Deployment;

/// <summary>
/// The modules that are built here: folders with a <c>module.json</c>. Knows image names by module, as iotedgedev gives
/// them, and modules by image name.
/// </summary>
public sealed class ModuleCatalog
{
    private const string Definition = "module.json";
    private const string DebugSuffix = ".debug";

    private readonly string root;
    private readonly TemplateVariables variables;
    private readonly string defaultPlatform;
    private readonly SortedDictionary<string, string> folders = new(StringComparer.Ordinal);

    /// <summary>Looks for modules.</summary>
    /// <param name="root">Folder of the template. Modules lie in its folder <c>modules</c>, or where <c>MODULES_PATH</c> says.</param>
    /// <param name="variables">Also <c>DEFAULT_PLATFORM</c> (<c>amd64</c>), and what stands in <c>module.json</c> files.</param>
    public ModuleCatalog(string root, TemplateVariables variables)
    {
        this.root = Path.GetFullPath(root);
        this.variables = variables;
        defaultPlatform = variables.Find("DEFAULT_PLATFORM") ?? "amd64";
        var modules = Path.Combine(this.root, variables.Find("MODULES_PATH") ?? "modules");
        if (Directory.Exists(modules))
        {
            foreach (var folder in Directory.EnumerateDirectories(modules).Where(HasDefinition))
            {
                folders.Add(Path.GetFileName(folder), folder);
            }
        }
    }

    /// <summary>The folder of the module whose image this is, whatever its platform; null when it is not built here.</summary>
    public string? FolderOfImage(string image) =>
        folders.Values.FirstOrDefault(folder => Images(folder).ContainsValue(image));

    /// <summary>The image behind <c>MODULES.name[.platform][.debug]</c> or <c>MODULEDIR&lt;path&gt;[...]</c>; null for another placeholder.</summary>
    /// <exception cref="ArgumentException">There is no such module or platform; says which there are.</exception>
    public string? ImageOf(string placeholder)
    {
        const string byName = "MODULES.";
        const string byFolder = "MODULEDIR<";
        if (placeholder.StartsWith(byName, StringComparison.Ordinal))
        {
            return ImageByName(placeholder[byName.Length..]);
        }
        if (!placeholder.StartsWith(byFolder, StringComparison.Ordinal))
        {
            return null;
        }
        var end = placeholder.IndexOf('>', StringComparison.Ordinal);
        var folder = Path.GetFullPath(Path.Combine(root, placeholder[byFolder.Length..end]));
        return HasDefinition(folder)
            ? Image(folder, placeholder[(end + 1)..])
            : throw new ArgumentException(
                $"There is no {Definition} in '{folder}'. Correct the path; it counts from the template's folder."
            );
    }

    // A folder's name may hold dots itself, so the longest that is a folder is meant.
    private string ImageByName(string reference)
    {
        var name = folders
            .Keys.Where(n => reference == n || reference.StartsWith(n + ".", StringComparison.Ordinal))
            .MaxBy(n => n.Length);
        if (name is null)
        {
            var known = folders.Count == 0 ? "none" : string.Join(", ", folders.Keys);
            throw new ArgumentException(
                $"There is no module '{reference}'. Modules with a {Definition}: {known}. Correct the name, or set MODULES_PATH."
            );
        }
        return Image(folders[name], reference[name.Length..]);
    }

    private string Image(string folder, string suffix)
    {
        var platform =
            suffix.Length == 0 ? defaultPlatform
            : suffix == DebugSuffix ? defaultPlatform + DebugSuffix
            : suffix[1..];
        var images = Images(folder);
        return images.GetValueOrDefault(platform)
            ?? throw new ArgumentException(
                $"Module '{Path.GetFileName(folder)}' has no platform '{platform}'; its {Definition} has {string.Join(", ", images.Keys)}."
            );
    }

    private Dictionary<string, string> Images(string folder)
    {
        var file = Path.Combine(folder, Definition);
        var json = new LocatedJson(new TemplateText(file, File.ReadAllText(file), variables.Find));
        var image = Child<JsonObject>(json, json.Root, "image", "an object");
        var tag = Child<JsonObject>(json, image, "tag", "an object");
        var repository = Child<JsonValue>(json, image, "repository", "a string");
        var version = Child<JsonValue>(json, tag, "version", "a string");
        return Child<JsonObject>(json, tag, "platforms", "an object")
            .ToDictionary(
                platform => platform.Key,
                platform => $"{repository}:{version}-{platform.Key}".ToLowerInvariant(),
                StringComparer.Ordinal
            );
    }

    private static T Child<T>(LocatedJson json, JsonObject parent, string name, string kind)
        where T : JsonNode => parent[name] as T ?? throw json.Error(parent, name, $"'{name}' must be {kind}.");

    private static bool HasDefinition(string folder) => File.Exists(Path.Combine(folder, Definition));
}
