using System.Text.Json.Nodes;
using EdgeDm.DevHub.Deployment;

namespace EdgeDm.DevHub.Launching.Containers;

/// <summary>A module as a container: what Docker is asked for, made of <c>createOptions</c> as edgeAgent does it.</summary>
internal sealed class ContainerLaunch : ModuleLaunch
{
    /// <param name="module">The module.</param>
    /// <param name="environment">All of its environment.</param>
    /// <param name="mounts">Where its mounts come from.</param>
    /// <param name="names">Names of the network and of the volumes.</param>
    public ContainerLaunch(
        ModuleDeployment module,
        IEnumerable<KeyValuePair<string, string>> environment,
        ContainerMounts mounts,
        ContainerNames names
    )
        : base(module)
    {
        Name = names.Container(module.Id);
        Image = module.Image;
        Volumes =
        [
            .. module.CreateOptions.Mounts.Where(mount => mount.IsVolume).Select(mount => names.Volume(mount.Source)),
        ];
        Options = (JsonObject)module.CreateOptions.Document.DeepClone();
        Options[nameof(Image)] = module.Image;
        Options["Env"] = Texts(environment.Select(variable => $"{variable.Key}={variable.Value}"));
        Child(Options, "Labels")[ContainerNames.LabelName] = names.Network;
        WriteHost(Child(Options, "HostConfig"), module, mounts, names);
    }

    /// <summary>The container's name.</summary>
    public string Name { get; }

    /// <summary>Its image.</summary>
    public string Image { get; }

    /// <summary>Volumes that it mounts.</summary>
    public IReadOnlyList<string> Volumes { get; }

    /// <summary>The body of the request that makes it.</summary>
    public JsonObject Options { get; }

    /// <summary>It writes to a terminal.</summary>
    public bool HasTerminal => Options["Tty"]?.GetValueKind() == System.Text.Json.JsonValueKind.True;

    private void WriteHost(JsonObject host, ModuleDeployment module, ContainerMounts mounts, ContainerNames names)
    {
        host["Binds"] = Texts(
            (host["Binds"] as JsonArray ?? [])
                .Select(bind => mounts.Bind(bind!.GetValue<string>()))
                .Concat(mounts.OfTheHub(module.Id))
        );
        foreach (var mount in (host["Mounts"] as JsonArray ?? []).OfType<JsonObject>())
        {
            if (mount["Source"]?.ToString() is { Length: > 0 } source)
            {
                mount["Source"] = mounts.Source(source);
            }
        }
        // The hub starts modules again itself, as edgeAgent does.
        host.Remove("RestartPolicy");
        host["LogConfig"] ??= new JsonObject
        {
            ["Type"] = "json-file",
            ["Config"] = new JsonObject { ["max-size"] = "8m" },
        };
        // edgeAgent joins a module that names no end point to its own network.
        var network = Child(Options, "NetworkingConfig");
        if (network["EndpointsConfig"] is not JsonObject { Count: > 0 })
        {
            network["EndpointsConfig"] = new JsonObject { [names.Network] = new JsonObject() };
            host["NetworkMode"] ??= names.Network;
        }
    }

    private static JsonObject Child(JsonObject parent, string name)
    {
        if (parent[name] is not JsonObject child)
        {
            parent[name] = child = [];
        }
        return child;
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}

/// <summary>Where the mounts of containers come from.</summary>
/// <param name="names">Names of volumes.</param>
/// <param name="host">The gateway's folders.</param>
/// <param name="workloadSocket">The socket on this machine of a module's workload API; null = there is none.</param>
/// <param name="trustBundleFile">PEM file of the certificate to trust.</param>
internal sealed class ContainerMounts(
    ContainerNames names,
    HostFolders host,
    Func<string, string>? workloadSocket,
    string trustBundleFile
)
{
    /// <summary>A bind of the deployment with its source as it is on this machine.</summary>
    public string Bind(string bind)
    {
        var colon = bind.IndexOf(':', StringComparison.Ordinal);
        return Source(bind[..colon]) + bind[colon..];
    }

    /// <summary>A folder, or a volume's full name.</summary>
    public string Source(string source) => source.StartsWith('/') ? host.Of(source) : names.Volume(source);

    /// <summary>What every module gets of the hub.</summary>
    public IEnumerable<string> OfTheHub(string moduleId) =>
        workloadSocket is null
            ? [$"{trustBundleFile}:{ContainerView.TrustBundle}:ro"]
            : [$"{workloadSocket(moduleId)}:{ContainerView.Socket}"];
}
