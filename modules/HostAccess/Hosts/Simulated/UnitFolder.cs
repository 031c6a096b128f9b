using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using EdgeDm.Durable;

namespace EdgeDm.HostAccess.Hosts.Simulated;

/// <summary>
/// The records of one simulated unit, written by HostAccess (<c>unit.json</c>) and by its runner (the rest). The runner holds
/// a lock on <c>lock</c> for as long as it lives, so whoever finds it free knows that the runner is gone.
/// </summary>
internal sealed class UnitFolder(string folder)
{
    private const string SpecName = "unit.json";
    private const string StartedName = "started.json";
    private const string ProgramName = "program.json";
    private const string ExitName = "exit.json";

    private static readonly Failpoint SpecWritten = new("host.unit.spec");
    private static readonly Failpoint StartedWritten = new("host.unit.started");
    private static readonly Failpoint ProgramWritten = new("host.unit.program");
    private static readonly Failpoint ExitWritten = new("host.unit.exit");

    /// <summary>The folder.</summary>
    public string Folder { get; } = folder;

    public UnitSpec? ReadSpec() => Read(SpecName, UnitFolderJson.Default.UnitSpec);

    public void WriteSpec(UnitSpec spec)
    {
        Directory.CreateDirectory(Folder);
        Write(SpecName, spec, UnitFolderJson.Default.UnitSpec, SpecWritten);
    }

    /// <summary>The runner: written before the program starts. From then on the unit counts as started for ever.</summary>
    public ProcessIdentity? ReadStarted() => Read(StartedName, UnitFolderJson.Default.ProcessIdentity);

    public void WriteStarted(ProcessIdentity runner) =>
        Write(StartedName, runner, UnitFolderJson.Default.ProcessIdentity, StartedWritten);

    /// <summary>The program itself, leader of its own session.</summary>
    public ProcessIdentity? ReadProgram() => Read(ProgramName, UnitFolderJson.Default.ProcessIdentity);

    public void WriteProgram(ProcessIdentity program) =>
        Write(ProgramName, program, UnitFolderJson.Default.ProcessIdentity, ProgramWritten);

    public UnitState? ReadExit() => Read(ExitName, UnitFolderJson.Default.UnitState);

    public void WriteExit(UnitState state) => Write(ExitName, state, UnitFolderJson.Default.UnitState, ExitWritten);

    /// <summary>Takes the runner's lock, or returns null when another process holds it.</summary>
    public FileStream? TryLock()
    {
        try
        {
            return new(Path.Combine(Folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private T? Read<T>(string name, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(Folder, name)), type);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private void Write<T>(string name, T value, JsonTypeInfo<T> type, Failpoint failpoint) =>
        AtomicFile.Write(Path.Combine(Folder, name), JsonSerializer.SerializeToUtf8Bytes(value, type), failpoint);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(UnitSpec))]
[JsonSerializable(typeof(UnitState))]
[JsonSerializable(typeof(ProcessIdentity))]
internal sealed partial class UnitFolderJson : JsonSerializerContext;
