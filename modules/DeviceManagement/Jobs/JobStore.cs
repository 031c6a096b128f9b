using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DeviceManagement.Jobs;

/// <summary>The job records of this gateway.</summary>
internal sealed class JobStore(string folder, ILogger logger)
{
    private readonly DurableFolder<JobRecord> records = new(
        folder,
        DeviceManagementJson.Default.JobRecord,
        "job.record",
        logger
    );

    public IEnumerable<JobRecord> LoadAll() => records.LoadAll();

    public void Save(JobRecord record) => records.Save(record.JobId, record);

    public void Delete(string jobId) => records.Delete(jobId);
}
