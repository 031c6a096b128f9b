using System.Collections.Concurrent;
using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DeviceManagement.Jobs;

/// <summary>
/// The one engine of the six job types, whatever asked for the job. A job is on disk before anything happens; one runs
/// at a time (the host turn), in order of creation; after a restart the running one goes on at its step.
/// </summary>
internal sealed partial class JobEngine
{
    private readonly JobStore store;
    private readonly Dictionary<string, IJobWork> works;
    private readonly JobLimits limits;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly ConcurrentDictionary<string, Job> jobs = new(StringComparer.Ordinal);
    private readonly Lock creating = new();
    private readonly AsyncAutoResetEvent wake = new();
    private long lastSequence;
    private long lastEnd;

    /// <summary>Loads the jobs; <see cref="RunAsync"/> works on them.</summary>
    public JobEngine(
        JobStore store,
        IEnumerable<IJobWork> works,
        JobLimits limits,
        TimeProvider time,
        ILogger<JobEngine> logger
    )
    {
        this.store = store;
        this.works = works.ToDictionary(w => w.Type, StringComparer.Ordinal);
        this.limits = limits;
        this.time = time;
        this.logger = logger;
        foreach (var record in store.LoadAll())
        {
            Adopt(new Job(store, record));
            lastSequence = Math.Max(lastSequence, record.Sequence);
            lastEnd = Math.Max(lastEnd, record.EndSequence);
        }
        wake.Set();
    }

    /// <summary>A job's status, step or progress changed. Called on the changing thread: be quick.</summary>
    public event Action<JobDocument>? Changed;

    /// <summary>
    /// Creates a job, or returns the one that exists with the same id and content, which takes what is new in the payload (fresh
    /// addresses) while it lives. On disk when this returns. Throws 409 <c>jobConflict</c> for a known id with other content.
    /// </summary>
    /// <param name="request">As it came.</param>
    /// <param name="source">For people: what asked.</param>
    public JobDocument Create(CreateJobRequest request, string source)
    {
        var payload = request.Payload ?? JsonElement.Parse("{}");
        limits.Check(request);
        var work = WorkOf(request.Type);
        work.Validate(payload);
        var digest = ContentDigest.Of(work.IdentityOf(payload));
        lock (creating)
        {
            if (jobs.TryGetValue(request.JobId, out var known))
            {
                return Repeat(known, digest, payload);
            }
            MakeRoom();
            var record = new JobRecord
            {
                JobId = request.JobId,
                Type = request.Type,
                Source = source,
                ContentDigest = digest,
                Payload = payload.Clone(),
                Status = JobStatuses.Enqueued,
                CreatedTime = time.GetUtcNow(),
                RemainingSeconds = request.TimeoutSeconds ?? work.DefaultTimeout.TotalSeconds,
                Sequence = ++lastSequence,
            };
            store.Save(record);
            var job = Adopt(new Job(store, record));
            LogCreated(logger, record.JobId, record.Type, source);
            OnChanged(job);
            wake.Set();
            return job.ToDocument();
        }
    }

    private static JobDocument Repeat(Job known, string digest, JsonElement payload)
    {
        if (known.Record.ContentDigest != digest)
        {
            throw ErrorRegistry.JobConflict.Exception(
                Subsystems.DeviceManagement,
                known.Record.JobId,
                $"Job '{known.Record.JobId}' exists with other content."
            );
        }
        if (
            !JobStatuses.IsTerminal(known.Record.Status)
            && ContentDigest.Canonical(known.Record.Payload) != ContentDigest.Canonical(payload)
        )
        {
            known.ReplacePayload(payload.Clone());
        }
        return known.ToDocument();
    }

    private void End(Job job, string status, ErrorObject? error, JsonElement? result)
    {
        var place = Interlocked.Increment(ref lastEnd);
        job.Update(r =>
            r with
            {
                Status = status,
                EndTime = time.GetUtcNow(),
                EndSequence = place,
                Error = error,
                Result = result,
            }
        );
        LogEnded(logger, job.Record.JobId, status, error?.Message ?? "no error");
    }

    private void MakeRoom()
    {
        if (jobs.Values.Count(j => !JobStatuses.IsTerminal(j.Record.Status)) >= limits.MaxLiveJobs)
        {
            throw ErrorRegistry.TooManyJobs.Exception(
                Subsystems.DeviceManagement,
                "jobs",
                $"{limits.MaxLiveJobs} jobs wait or run already.",
                ("limit", $"{limits.MaxLiveJobs}")
            );
        }
        var ended = jobs
            .Values.Where(j => JobStatuses.IsTerminal(j.Record.Status))
            .OrderBy(j => j.Record.EndSequence)
            .ThenBy(j => j.Record.EndTime);
        foreach (var job in ended.Take(Math.Max(0, jobs.Count + 1 - limits.MaxKeptJobs)).ToList())
        {
            store.Delete(job.Record.JobId);
            jobs.TryRemove(job.Record.JobId, out _);
            job.Dispose();
        }
    }

    private Job Adopt(Job job)
    {
        job.Changed += OnChanged;
        jobs[job.Record.JobId] = job;
        return job;
    }

    private void OnChanged(Job job) => Changed?.Invoke(job.ToDocument());

    private Job Known(string jobId) =>
        jobs.GetValueOrDefault(jobId)
        ?? throw ErrorRegistry.JobNotFound.Exception(
            Subsystems.DeviceManagement,
            "jobId",
            $"There is no job '{Shorten(jobId)}'."
        );

    private IJobWork WorkOf(string type) =>
        works.GetValueOrDefault(type)
        ?? throw (
            JobTypes.All.Contains(type)
                ? ErrorRegistry.NotSupportedOnHost.Exception(
                    Subsystems.DeviceManagement,
                    "type",
                    $"Jobs of type '{type}' cannot be done here."
                )
                : ErrorRegistry.UnknownJobType.Exception(
                    Subsystems.DeviceManagement,
                    "type",
                    $"'{Shorten(type)}' is no job type.",
                    ("types", string.Join(' ', JobTypes.All))
                )
        );

    private static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "...";
}
