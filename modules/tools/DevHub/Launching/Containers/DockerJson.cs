using System.Text.Json.Serialization;

namespace EdgeDm.DevHub.Launching.Containers;

/// <summary>Answers of the Docker Engine, as far as they are looked at.</summary>
[JsonSerializable(typeof(EngineVersion))]
[JsonSerializable(typeof(Network))]
[JsonSerializable(typeof(VolumeList))]
[JsonSerializable(typeof(ListedContainer[]))]
[JsonSerializable(typeof(MadeContainer))]
[JsonSerializable(typeof(InspectedContainer))]
[JsonSerializable(typeof(ContainerEnd))]
[JsonSerializable(typeof(Refusal))]
internal sealed partial class DockerJson : JsonSerializerContext;

internal sealed record EngineVersion(string? MinAPIVersion);

internal sealed record Network([property: JsonPropertyName("IPAM")] NetworkAddresses? Ipam);

internal sealed record NetworkAddresses(NetworkRange[]? Config);

internal sealed record NetworkRange(string? Gateway);

internal sealed record VolumeList(ListedVolume[]? Volumes);

internal sealed record ListedVolume(string Name);

internal sealed record ListedContainer(string Id);

internal sealed record MadeContainer(string Id);

internal sealed record InspectedContainer(ContainerState State);

/// <summary>How a container is.</summary>
/// <param name="Running">It runs, or Docker starts it again.</param>
/// <param name="Restarting">Docker starts it again.</param>
/// <param name="Pid">Of its first process on this machine; 0 when there is none.</param>
/// <param name="StartedAt">Of its last run; tells runs apart.</param>
internal sealed record ContainerState(bool Running, bool Restarting, int Pid, string StartedAt);

internal sealed record ContainerEnd(int StatusCode);

internal sealed record Refusal([property: JsonPropertyName("message")] string? Message);
