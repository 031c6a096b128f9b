using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Deployment;

/// <summary>What a deployment manifest says, with every placeholder expanded.</summary>
/// <param name="File">Where it was read.</param>
/// <param name="ModulesContent">
/// The sections per module as IoT Hub takes them in <c>applyConfigurationContent</c>: <c>createOptions</c> as strings in chunks.
/// Not to be changed.
/// </param>
/// <param name="Modules">The modules of <c>$edgeAgent</c>, in start order.</param>
public sealed record DeploymentManifest(string File, JsonObject ModulesContent, IReadOnlyList<ModuleDeployment> Modules)
{
    private const string DesiredProperty = "properties.desired";

    /// <summary>The desired properties that the manifest sets, by module, <c>$edgeAgent</c> and <c>$edgeHub</c> among them.</summary>
    public IEnumerable<KeyValuePair<string, JsonObject>> Desired =>
        from section in ModulesContent
        let desired = section.Value?[DesiredProperty] as JsonObject
        where desired is not null
        select KeyValuePair.Create(section.Key, desired);

    /// <summary>The module, or null.</summary>
    public ModuleDeployment? Find(string id) => Modules.FirstOrDefault(module => module.Id == id);
}

/// <summary>One module of <c>$edgeAgent</c>'s desired properties.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Image">The image, with its tag.</param>
/// <param name="IsWanted">Status <c>running</c>; false for <c>stopped</c>.</param>
/// <param name="RestartPolicy">What happens when it ends.</param>
/// <param name="StartupOrder">Lower starts earlier.</param>
/// <param name="Env">The manifest's environment.</param>
/// <param name="CreateOptions">How its container is made.</param>
public sealed record ModuleDeployment(
    string Id,
    string Image,
    bool IsWanted,
    RestartPolicy RestartPolicy,
    uint StartupOrder,
    IReadOnlyDictionary<string, string> Env,
    CreateOptions CreateOptions
);

/// <summary>When edgeAgent starts a module again.</summary>
public enum RestartPolicy
{
    Never,
    OnFailure,

    /// <summary>As <see cref="Always"/> for a process: it has no health check. edgeAgent's default.</summary>
    OnUnhealthy,
    Always,
}

/// <summary>The part of Docker's <c>ContainerCreate</c> that the dev hub honours.</summary>
/// <param name="Mounts">Binds and mounts, of the host's folders and of volumes.</param>
/// <param name="Env">Environment; the manifest's wins over it.</param>
/// <param name="Labels">Labels.</param>
/// <param name="Cmd">Arguments of the program.</param>
/// <param name="Document">All of it.</param>
public sealed record CreateOptions(
    IReadOnlyList<ContainerMount> Mounts,
    IReadOnlyDictionary<string, string> Env,
    IReadOnlyDictionary<string, string> Labels,
    IReadOnlyList<string> Cmd,
    JsonObject Document
);

/// <summary>A place of the host that a container sees under another path.</summary>
/// <param name="Source">An absolute path of the host, or a volume's name.</param>
/// <param name="Target">The absolute path in the container, without a slash at its end.</param>
public sealed record ContainerMount(string Source, string Target)
{
    /// <summary>True when <see cref="Source"/> is a volume's name.</summary>
    public bool IsVolume => !Source.StartsWith('/');
}

/// <summary>A manifest, a template or a <c>module.json</c> is wrong: says where, what, and how to mend it.</summary>
public sealed class DeploymentException : Exception
{
    /// <summary>Names the place as compilers do: <c>file:line:column: what</c>.</summary>
    public DeploymentException(string file, int line, int column, string what)
        : base($"{file}:{line}:{column}: {what}") => (File, Line, Column) = (file, line, column);

    /// <summary>The file.</summary>
    public string File { get; }

    /// <summary>From 1.</summary>
    public int Line { get; }

    /// <summary>From 1, in characters.</summary>
    public int Column { get; }
}
