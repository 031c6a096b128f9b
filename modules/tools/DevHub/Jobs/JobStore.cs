using EdgeDm.DevHub.Identities;
using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Jobs;

/// <summary>
/// All jobs and what they did on each device, in memory and on disk (folder <c>jobs</c>: a record for each job, and a folder of
/// records of its devices). What is written is on disk when the call returns. Safe for use by many threads.
/// </summary>
internal sealed class JobStore
{
    private static readonly Failpoint Saved = new("job");
    private static readonly Failpoint DeviceSaved = new("job.device");

    private readonly Lock gate = new();
    private readonly string root;
    private readonly ILogger logger;
    private readonly JobLimits limits;
    private readonly DurableFolder<ScheduledJob> folder;
    private readonly Dictionary<string, Entry> jobs;

    /// <summary>Loads every job.</summary>
    public JobStore(string dataFolder, JobLimits limits, ILogger logger)
    {
        root = Path.Combine(dataFolder, "jobs");
        this.logger = logger;
        this.limits = limits;
        folder = new(root, JobJson.Default.ScheduledJob, Saved, logger);
        jobs = folder.LoadAll().ToDictionary(job => job.JobId, Load, StringComparer.Ordinal);
        // What a kill left of a job that was being forgotten.
        var known = jobs.Keys.Select(FolderOf).ToHashSet(StringComparer.Ordinal);
        foreach (var orphan in Directory.EnumerateDirectories(root).Where(path => !known.Contains(path)))
        {
            Directory.Delete(orphan, recursive: true);
        }
    }

    /// <summary>Takes a new job, and forgets old ones that are over.</summary>
    /// <exception cref="HubException">Its id is known, or too many jobs are not over.</exception>
    public void Add(ScheduledJob job)
    {
        lock (gate)
        {
            if (jobs.ContainsKey(job.JobId))
            {
                throw new HubException(HubError.JobAlreadyExists, $"There is a job '{job.JobId}' already.");
            }
            if (jobs.Values.Count(entry => !entry.Job.IsOver) >= limits.MostActive)
            {
                throw new HubException(
                    HubError.JobQuotaExceeded,
                    $"{limits.MostActive} jobs are not over, which is the most. Wait for one or cancel it."
                );
            }
            foreach (
                var old in jobs
                    .Values.Where(e => e.Job.IsOver)
                    .OrderByDescending(e => e.Job.End)
                    .Skip(limits.MostKept - 1)
            )
            {
                folder.Delete(NameOf(old.Job.JobId));
                Directory.Delete(FolderOf(old.Job.JobId), recursive: true);
                jobs.Remove(old.Job.JobId);
            }
            folder.Save(NameOf(job.JobId), job);
            jobs[job.JobId] = Load(job);
        }
    }

    /// <summary>The job, or null.</summary>
    public ScheduledJob? Find(string jobId)
    {
        lock (gate)
        {
            return jobs.GetValueOrDefault(jobId)?.Job;
        }
    }

    /// <summary>All jobs, oldest first.</summary>
    public IReadOnlyList<ScheduledJob> List()
    {
        lock (gate)
        {
            return [.. jobs.Values.Select(entry => entry.Job).OrderBy(job => job.Created)];
        }
    }

    /// <summary>What a job does and did on its devices; empty before it starts.</summary>
    public IReadOnlyList<DeviceJob> DevicesOf(string jobId)
    {
        lock (gate)
        {
            return jobs.TryGetValue(jobId, out var entry) ? [.. entry.Devices.Values] : [];
        }
    }

    /// <summary>Changes a job, unless it is over.</summary>
    /// <returns>The job as it is then; null when it was over or is gone.</returns>
    public ScheduledJob? TryChange(string jobId, Func<ScheduledJob, ScheduledJob> change)
    {
        lock (gate)
        {
            if (!jobs.TryGetValue(jobId, out var entry) || entry.Job.IsOver)
            {
                return null;
            }
            var next = change(entry.Job);
            folder.Save(NameOf(jobId), next);
            return entry.Job = next;
        }
    }

    /// <summary>Adds or replaces what a job does on a device.</summary>
    public void Save(DeviceJob device)
    {
        lock (gate)
        {
            if (jobs.TryGetValue(device.JobId, out var entry))
            {
                entry.Folder.Save(NameOf(device.Id.ToString()), device);
                entry.Devices[device.Id] = device;
            }
        }
    }

    private Entry Load(ScheduledJob job)
    {
        var devices = new DurableFolder<DeviceJob>(FolderOf(job.JobId), JobJson.Default.DeviceJob, DeviceSaved, logger);
        return new(job, devices, devices.LoadAll().ToDictionary(device => device.Id));
    }

    private string FolderOf(string jobId) => Path.Combine(root, NameOf(jobId));

    private static string NameOf(string id) => RecordNames.Of("job", id, id);

    private sealed class Entry(
        ScheduledJob job,
        DurableFolder<DeviceJob> folder,
        Dictionary<HubIdentity, DeviceJob> devices
    )
    {
        public ScheduledJob Job { get; set; } = job;

        public DurableFolder<DeviceJob> Folder { get; } = folder;

        public Dictionary<HubIdentity, DeviceJob> Devices { get; } = devices;
    }
}
