using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.DeviceManagement.Host;
using EdgeDm.DeviceManagement.Jobs;
using EdgeDm.DeviceManagement.Jobs.FirmwareUpdate;
using EdgeDm.DeviceManagement.Twin;

namespace EdgeDm.DeviceManagement.Groups.FirmwareUpdate;

/// <summary>
/// Group <c>firmwareUpdate</c>: asks the engine for a job whose id is made from the group's content, so the same content
/// never makes two, and a failed one waits for new content (or a new <c>workflow.id</c>). The latest content wins: what this group began
/// for an earlier one is called back, and what the host has begun by then ends first.
/// </summary>
internal sealed class FirmwareUpdateGroup : IConfigurationGroup
{
    private const string Source = "twin:" + TwinNames.FirmwareUpdate;

    private readonly JobEngine engine;
    private readonly InstalledUpdate installed;
    private volatile Desired desired = new(null, null);

    public FirmwareUpdateGroup(JobEngine engine, InstalledUpdate installed)
    {
        this.engine = engine;
        this.installed = installed;
        engine.Changed += job =>
        {
            if (job.Type == JobTypes.FirmwareUpdate)
            {
                Changed?.Invoke();
            }
        };
        installed.Changed += () => Changed?.Invoke();
    }

    public string Name => TwinNames.FirmwareUpdate;

    public string InterfaceVersion => "1.0.0";

    public event Action? Changed;

    public GroupOutcome? Outcome =>
        desired.Errors is { } errors ? GroupOutcome.Failed(errors)
        : DesiredJob is { } job ? OutcomeOf(job.ToDocument())
        : null;

    public bool IsBusy => OwnLiveJobs().Any();

    private Job? DesiredJob => desired.Payload is { } payload ? engine.FindSame(payload.Identity) : null;

    public async ValueTask ApplyAsync(JsonElement properties, CancellationToken cancellationToken)
    {
        var payload = Take(properties);
        await CallBackOthersAsync(cancellationToken);
        if (payload is not null)
        {
            var jobId = engine.FindSame(payload.Identity)?.Record.JobId ?? FreeId(payload.JobId);
            engine.Create(new CreateJobRequest(jobId, JobTypes.FirmwareUpdate, WithoutMeta(properties)), Source);
        }
    }

    public void Restore(JsonElement properties) => Take(properties);

    public ValueTask RemoveAsync(CancellationToken cancellationToken)
    {
        desired = new(null, null);
        return CallBackOthersAsync(cancellationToken);
    }

    public JsonObject Read()
    {
        var job = (DesiredJob ?? OwnLiveJobs().FirstOrDefault())?.ToDocument();
        var isActive = job is not null && !JobStatuses.IsTerminal(job.Status);
        // One that was called back too late may still run before the desired one.
        var running = engine.Query(new(JobTypes.FirmwareUpdate, JobStatuses.Running)).Jobs.FirstOrDefault();
        var reported = new FirmwareUpdateReported(
            StateOf(running),
            installed.Id,
            job?.JobId,
            job?.Step,
            isActive ? job!.Percent : null,
            job?.Bytes,
            LastResult()
        );
        return (JsonObject)JsonSerializer.SerializeToNode(reported, ContractsJson.Default.FirmwareUpdateReported)!;
    }

    private FirmwareUpdatePayload? Take(JsonElement properties)
    {
        var payload = FirmwareUpdatePayload.TryParse(properties, out var errors);
        desired = payload is null ? new(null, errors) : new(payload, null);
        return payload;
    }

    /// <summary>Jobs that this group asked for first. One that somebody else asked for before is theirs to cancel.</summary>
    private IEnumerable<Job> OwnLiveJobs() =>
        engine.Live(JobTypes.FirmwareUpdate).Where(job => job.Record.Source == Source);

    private async ValueTask CallBackOthersAsync(CancellationToken cancellationToken)
    {
        var wanted = DesiredJob;
        foreach (var job in OwnLiveJobs().Where(job => job != wanted).ToList())
        {
            try
            {
                await engine.CancelAsync(job.Record.JobId, cancellationToken, withdrawn: true);
            }
            catch (EdgeDmException)
            {
                // The host is at it, or cannot be asked now: the job goes on to its end, and the report says so.
            }
        }
    }

    /// <summary>The id made from the content; numbered when that one was withdrawn and the content is desired again.</summary>
    private string FreeId(string jobId)
    {
        var id = jobId;
        for (var i = 2; engine.Find(id) is { Record.Withdrawn: true }; i++)
        {
            id = $"{jobId}-{i}";
        }
        return id;
    }

    private InstallResult? LastResult()
    {
        var last = engine.LastEnded(JobTypes.FirmwareUpdate);
        return last is null ? null
            : last.Result is { } result ? result.Deserialize(ContractsJson.Default.InstallResult)
            : InstallResults.Of(last);
    }

    private static GroupOutcome OutcomeOf(JobDocument job) =>
        job.Status switch
        {
            JobStatuses.Completed => GroupOutcome.Succeeded,
            JobStatuses.Failed or JobStatuses.Cancelled => GroupOutcome.Failed(job.Step ?? "job", job.Error!),
            _ when job.Error is { } reason => GroupOutcome.Waiting(job.Step ?? "job", reason),
            _ => GroupOutcome.Pending,
        };

    private static string StateOf(JobDocument? job)
    {
        if (job?.Status != JobStatuses.Running)
        {
            return FirmwareStates.Idle;
        }
        var step = job.Steps.LastOrDefault();
        return step?.Name switch
        {
            FirmwareUpdateWork.Download when step.EndedAt is null => FirmwareStates.Downloading,
            FirmwareUpdateWork.Download => FirmwareStates.Downloaded,
            FirmwareUpdateWork.Install or FirmwareUpdateWork.Verify => FirmwareStates.Updating,
            _ => FirmwareStates.Idle,
        };
    }

    private static JsonElement WithoutMeta(JsonElement properties)
    {
        var content = JsonObject.Create(properties)!;
        content.Remove(TwinNames.Meta);
        return JsonSerializer.SerializeToElement(content, TwinJson.Default.JsonNode);
    }

    private sealed record Desired(
        FirmwareUpdatePayload? Payload,
        ImmutableSortedDictionary<string, ErrorObject>? Errors
    );
}
