using System.Text.Json.Serialization.Metadata;
using EdgeDm.Contracts;
using EdgeDm.DeviceManagement.Jobs;
using EdgeDm.ModuleHost;

namespace EdgeDm.DeviceManagement.Methods;

/// <summary>Direct methods <c>createJob</c>, <c>getJob</c>, <c>cancelJob</c>, <c>queryJobs</c>, <c>StartRebootCmd</c>.</summary>
internal sealed class JobMethods(JobEngine engine, JobLimits limits)
{
    private const string NothingDone = "Nothing was done.";

    /// <summary>Names, for <c>__deviceSchemas</c>.</summary>
    public static IReadOnlyList<string> Names { get; } =
    ["createJob", "getJob", "cancelJob", "queryJobs", "StartRebootCmd"];

    /// <summary>Those that can do nothing without HostAccess.</summary>
    public static IReadOnlyList<string> NeedingHost { get; } = ["createJob", "StartRebootCmd"];

    /// <summary>Registers the methods.</summary>
    public void Register(IModuleHub hub)
    {
        hub.OnMethod("createJob", (call, _) => Answer(call, ContractsJson.Default.CreateJobRequest, Create));
        hub.OnMethod(
            "getJob",
            (call, _) => Answer(call, ContractsJson.Default.JobIdRequest, r => Found(engine.Get(r.JobId)))
        );
        hub.OnMethod("queryJobs", (call, _) => Answer(call, ContractsJson.Default.QueryJobsRequest, Query));
        hub.OnMethod("cancelJob", CancelAsync);
        hub.OnMethod("StartRebootCmd", (call, _) => Guard(() => StartReboot(call)));
        hub.OnMethod("*", (call, _) => ValueTask.FromResult(Unknown(call.Name)));
    }

    private MethodReply Create(CreateJobRequest request) => Found(engine.Create(request, "method:createJob"));

    private MethodReply Query(QueryJobsRequest request)
    {
        if (request.MaxCount is { } count && (count < 1 || count > limits.MaxQueryCount))
        {
            throw ErrorRegistry.InvalidValue.Exception(
                Subsystems.DeviceManagement,
                "maxCount",
                $"maxCount is {count} and must be from 1 to {limits.MaxQueryCount}."
            );
        }
        return MethodReplies.Ok(engine.Query(request), ContractsJson.Default.JobList);
    }

    private async ValueTask<MethodReply> CancelAsync(MethodCall call, CancellationToken cancellationToken)
    {
        try
        {
            var request = MethodReplies.Read(call, ContractsJson.Default.JobIdRequest);
            return Found(await engine.CancelAsync(request.JobId, cancellationToken));
        }
        catch (EdgeDmException failure)
        {
            return MethodReplies.Refused(failure.Error);
        }
        catch (IOException error)
        {
            return MethodReplies.Refused(RecordErrors.Of(error, NothingDone));
        }
    }

    /// <summary>
    /// A retried call must not restart the host twice: a caller's <c>commandId</c> names the job, and without one a reboot
    /// that still waits or runs is the answer.
    /// </summary>
    private MethodReply StartReboot(MethodCall call)
    {
        var request = StartRebootRequest.Parse(call);
        if (request.CommandId is null)
        {
            var pending = engine
                .Query(new(JobTypes.RebootDevice, MaxCount: limits.MaxQueryCount))
                .Jobs.FirstOrDefault(j => !JobStatuses.IsTerminal(j.Status));
            if (pending is not null)
            {
                return Found(pending);
            }
        }
        var job = new CreateJobRequest(
            request.CommandId ?? $"reboot-{Guid.NewGuid():N}",
            JobTypes.RebootDevice,
            request.ToPayload()
        );
        return Found(engine.Create(job, "method:StartRebootCmd"));
    }

    private static ValueTask<MethodReply> Answer<T>(
        MethodCall call,
        JsonTypeInfo<T> typeInfo,
        Func<T, MethodReply> answer
    ) => Guard(() => answer(MethodReplies.Read(call, typeInfo)));

    private static ValueTask<MethodReply> Guard(Func<MethodReply> answer)
    {
        try
        {
            return ValueTask.FromResult(answer());
        }
        catch (EdgeDmException failure)
        {
            return ValueTask.FromResult(MethodReplies.Refused(failure.Error));
        }
        catch (IOException error)
        {
            return ValueTask.FromResult(MethodReplies.Refused(RecordErrors.Of(error, NothingDone)));
        }
    }

    private static MethodReply Found(JobDocument job) => MethodReplies.Ok(job, ContractsJson.Default.JobDocument);

    private static MethodReply Unknown(string name) =>
        MethodReplies.Refused(
            ErrorRegistry.UnknownMethod.Error(
                Subsystems.DeviceManagement,
                "method",
                $"This gateway has no method '{name[..Math.Min(name.Length, 64)]}'.",
                ("methods", string.Join(' ', Names))
            )
        );
}
