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
/// never makes two, and a failed one waits for new content (or a new <c>workflow.id</c>).
/// </summary>
internal sealed class FirmwareUpdateGroup : IConfigurationGroup
{
    private readonly JobEngine engine;
    private readonly InstalledUpdate installed;
    private volatile Desired desired = new(null, null);

    public FirmwareUpdateGroup(JobEngine engine, InstalledUpdate installed)
    {
        this.engine = engine;
        this.installed = installed;
        engine.Changed += job =>
        {
            if (job.JobId == desired.JobId)
            {
                Changed?.Invoke();
            }
        };
        installed.Changed += () => Changed?.Invoke();
    }

    public string Name => TwinNames.FirmwareUpdate;

    public string InterfaceVersion => "1.0.0";

    public event Action? Changed;

    public GroupOutcome? Outcome
    {
        get
        {
            var (jobId, errors) = desired;
            return errors is not null ? GroupOutcome.Failed(errors)
                : jobId is not null && engine.Find(jobId) is { } job ? OutcomeOf(job.ToDocument())
                : null;
        }
    }

    public async ValueTask ApplyAsync(JsonElement properties, CancellationToken cancellationToken)
    {
        var before = desired.JobId;
        var payload = Take(properties);
        if (desired.JobId != before)
        {
            await DropIdleAsync(before, cancellationToken);
        }
        if (payload is null)
        {
            return;
        }
        var content = WithoutMeta(properties);
        var job = engine.Find(payload.JobId);
        if (job is null)
        {
            engine.Create(
                new CreateJobRequest(payload.JobId, JobTypes.FirmwareUpdate, content),
                $"twin:{Name}",
                payload.Identity
            );
        }
        else if (
            !JobStatuses.IsTerminal(job.Record.Status)
            && ContentDigest.Canonical(job.Record.Payload) != ContentDigest.Canonical(content)
        )
        {
            job.ReplacePayload(content);
        }
    }

    public void Restore(JsonElement properties) => Take(properties);

    public ValueTask RemoveAsync(CancellationToken cancellationToken)
    {
        var before = desired.JobId;
        desired = new(null, null);
        return DropIdleAsync(before, cancellationToken);
    }

    public JsonObject Read()
    {
        var job = desired.JobId is { } id ? engine.Find(id)?.ToDocument() : null;
        var isActive = job is not null && !JobStatuses.IsTerminal(job.Status);
        var reported = new FirmwareUpdateReported(
            StateOf(job),
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
        desired = payload is null ? new(null, errors) : new(payload.JobId, null);
        return payload;
    }

    /// <summary>Cancels a job that has not begun, or that waits for what its operator no longer wants to give (fresh addresses).</summary>
    private async ValueTask DropIdleAsync(string? jobId, CancellationToken cancellationToken)
    {
        if (
            jobId is not null
            && engine.Find(jobId)?.Record is { } job
            && (job.Status == JobStatuses.Enqueued || (job.Status == JobStatuses.Running && job.Error is not null))
        )
        {
            await engine.CancelAsync(jobId, cancellationToken);
        }
    }

    private InstallResult? LastResult()
    {
        var last = engine
            .Query(new(JobTypes.FirmwareUpdate))
            .Jobs.Where(j => JobStatuses.IsTerminal(j.Status))
            .MaxBy(j => j.EndTime);
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

    private sealed record Desired(string? JobId, ImmutableSortedDictionary<string, ErrorObject>? Errors);
}
