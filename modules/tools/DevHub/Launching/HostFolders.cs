namespace EdgeDm.DevHub.Launching;

/// <summary>
/// The gateway's own files and folders, which binds name by absolute paths. A developer's machine is no gateway: what nobody mapped
/// stands in the data folder, so that no module sees or changes the machine's own <c>/etc</c>, <c>/run/dbus</c> or <c>/dev</c>.
/// </summary>
public sealed class HostFolders
{
    private readonly string standIns;
    private readonly (string Path, string Folder)[] mapped;

    /// <param name="dataFolder">The dev hub's; stand-ins lie in its folder <c>host</c>.</param>
    /// <param name="mapped">Folders or files by the absolute path that they stand for.</param>
    public HostFolders(string dataFolder, IReadOnlyDictionary<string, string> mapped)
    {
        standIns = Path.Combine(Path.GetFullPath(dataFolder), "host");
        this.mapped = [.. mapped.Select(pair => (pair.Key, pair.Value)).OrderByDescending(pair => pair.Key.Length)];
    }

    /// <summary>The place on this machine. It need not be there: Docker makes a missing folder, owned by root as on a gateway.</summary>
    /// <param name="path">An absolute path of the gateway.</param>
    public string Of(string path)
    {
        path = path.TrimEnd('/');
        var (found, folder) = mapped.FirstOrDefault(pair =>
            path == pair.Path || path.StartsWith(pair.Path + "/", StringComparison.Ordinal)
        );
        return found is null ? standIns + path : folder + path[found.Length..];
    }
}
