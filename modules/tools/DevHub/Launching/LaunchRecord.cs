using System.Text.Json.Serialization;
using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Launching;

/// <summary>
/// Which processes this dev hub started, on disk: should it be killed, the next one with the same data folder ends
/// them. An id alone may have become another's, so the start time counts too.
/// </summary>
internal sealed partial class LaunchRecord
{
    private readonly Lock gate = new();
    private readonly DurableRecord<LaunchedFile> record;
    private readonly ILogger logger;
    private readonly Dictionary<string, IReadOnlyList<LaunchedProcess>> launched = new(StringComparer.Ordinal);

    public LaunchRecord(string dataFolder, ILogger logger)
    {
        this.logger = logger;
        record = new(
            Path.Combine(dataFolder, "launched.json"),
            LaunchedJson.Default.LaunchedFile,
            failpoint: null,
            logger
        );
    }

    /// <summary>Ends what an earlier dev hub left running.</summary>
    public async Task EndLeftoversAsync()
    {
        if (record.Load() is { } found && found.BootId == ProcessTable.BootId)
        {
            var left = found
                .Processes.Where(process =>
                    ProcessTable.Find(process.Id) is { } now && now.StartTime == process.StartTime
                )
                .Select(process => process.Id)
                .ToHashSet();
            if (left.Count > 0)
            {
                LogLeftovers(logger, left.Count);
                // Each is the leader of its session, or a survivor of one.
                await ProcessTable.KillAllAsync(() => ProcessTable.Family(left, left));
            }
        }
        record.Delete();
    }

    /// <summary>
    /// Notes which processes a module has now. On disk when this returns; when that fails, it is said, and the module runs on.
    /// </summary>
    public void Set(string moduleId, IEnumerable<LaunchedProcess> processes)
    {
        lock (gate)
        {
            launched[moduleId] = [.. processes];
            try
            {
                record.Save(new(ProcessTable.BootId, [.. launched.Values.SelectMany(list => list)]));
            }
            catch (IOException error)
            {
                LogNotNoted(logger, moduleId, error.Message);
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "An earlier dev hub was killed and left {Count} processes of its modules; ends them"
    )]
    private static partial void LogLeftovers(ILogger logger, int count);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Cannot note the processes of {Module}, so a later dev hub would not find them: {Reason}"
    )]
    private static partial void LogNotNoted(ILogger logger, string module, string reason);
}

internal sealed record LaunchedFile(string BootId, IReadOnlyList<LaunchedProcess> Processes);

internal sealed record LaunchedProcess(int Id, long StartTime);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LaunchedFile))]
internal sealed partial class LaunchedJson : JsonSerializerContext;
