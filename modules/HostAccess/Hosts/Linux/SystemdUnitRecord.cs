using System.Text.Json.Serialization;
using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Hosts.Linux;

/// <summary>What is known of a unit without asking systemd, which forgets everything when the host goes down.</summary>
/// <param name="InstanceId">The host instance in which it was to start.</param>
/// <param name="Started">systemd took it. False while that is not known.</param>
/// <param name="Ended">How it ended; null while that was not seen.</param>
internal sealed record SystemdUnitRecord(string InstanceId, bool Started, UnitState? Ended = null);

/// <summary>A unit's folder: its record and its output.</summary>
internal sealed class SystemdUnitFolder
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly DurableRecord<SystemdUnitRecord> record;

    public SystemdUnitFolder(string path, ILogger logger)
    {
        Path = path;
        record = new(
            System.IO.Path.Combine(path, "unit.json"),
            SystemdUnitJson.Default.SystemdUnitRecord,
            failpoint: null,
            logger
        );
    }

    public string Path { get; }

    /// <summary>Where the unit's output goes. The host's systemd opens it by this path, so it must be the same there.</summary>
    public string OutputPath => System.IO.Path.Combine(Path, UnitOutput.Current);

    public SystemdUnitRecord? Load() => record.Load();

    public void Save(SystemdUnitRecord value) => record.Save(value);

    /// <summary>The folder with an empty output that only its owner may read.</summary>
    public void Make()
    {
        Directory.CreateDirectory(Path, OwnerOnly | UnixFileMode.UserExecute);
        using var output = new FileStream(
            OutputPath,
            new FileStreamOptions
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                UnixCreateMode = OwnerOnly,
            }
        );
    }

    public void Delete()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(SystemdUnitRecord))]
internal sealed partial class SystemdUnitJson : JsonSerializerContext;
