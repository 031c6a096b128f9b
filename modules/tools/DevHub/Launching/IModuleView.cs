using EdgeDm.DevHub.Deployment;

namespace EdgeDm.DevHub.Launching;

/// <summary>By which paths a module sees what the hub gives it.</summary>
internal interface IModuleView
{
    /// <summary>The socket of its workload API.</summary>
    string WorkloadSocket(string moduleId);

    /// <summary>PEM file of the certificate to trust.</summary>
    string TrustBundleFile { get; }

    /// <summary>A value of its environment as the module must read it.</summary>
    /// <exception cref="ArgumentException">A volume's name is bad.</exception>
    Func<string, string> ValuesOf(ModuleDeployment module);
}

/// <summary>A process sees this machine's own paths.</summary>
/// <param name="paths">Where sockets and volumes are.</param>
/// <param name="host">Where the gateway's folders are.</param>
/// <param name="trustBundleFile">PEM file of the certificate to trust.</param>
internal sealed class ProcessView(ShortPaths paths, HostFolders host, string trustBundleFile) : IModuleView
{
    public string TrustBundleFile => trustBundleFile;

    public string WorkloadSocket(string moduleId) => paths.WorkloadSocket(moduleId);

    public Func<string, string> ValuesOf(ModuleDeployment module) =>
        new ContainerPaths(
            module.CreateOptions.Mounts.Select(mount =>
                (mount.Target, mount.IsVolume ? paths.Volume(mount.Source) : host.Of(mount.Source))
            )
        ).Rewrite;
}
