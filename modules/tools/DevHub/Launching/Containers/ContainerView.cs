using EdgeDm.DevHub.Deployment;

namespace EdgeDm.DevHub.Launching.Containers;

/// <summary>A container sees what is mounted into it, where edgeAgent mounts it; values need no change.</summary>
internal sealed class ContainerView : IModuleView
{
    /// <summary>Where the socket of the workload API is mounted.</summary>
    public const string Socket = "/var/run/iotedge/workload.sock";

    /// <summary>Where the certificate to trust is mounted, for modules that are told it by name.</summary>
    public const string TrustBundle = "/var/run/iotedge/trust-bundle.pem";

    public string TrustBundleFile => TrustBundle;

    public string WorkloadSocket(string moduleId) => Socket;

    public Func<string, string> ValuesOf(ModuleDeployment module) => value => value;
}
