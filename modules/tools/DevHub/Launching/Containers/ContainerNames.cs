using System.Security.Cryptography;
using System.Text;

namespace EdgeDm.DevHub.Launching.Containers;

/// <summary>What a dev hub's things in a Docker Engine are called: all alike, and unlike those of every other data folder.</summary>
/// <param name="Network">Name of the network, and what the names of volumes and containers begin with.</param>
internal sealed record ContainerNames(string Network)
{
    /// <summary>The label that everything of a dev hub carries.</summary>
    public const string LabelName = "net.edgedm.devhub";

    /// <summary>The names of a data folder's dev hub.</summary>
    public static ContainerNames Of(string dataFolder) =>
        new(
            "edgedm-"
                + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(dataFolder))))[..12]
        );

    /// <summary>A module's container.</summary>
    public string Container(string moduleId) => $"{Network}-{moduleId}";

    /// <summary>A volume of the deployment.</summary>
    public string Volume(string name) => $"{Network}-{name}";
}
