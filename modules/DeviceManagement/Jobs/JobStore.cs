using EdgeDm.Durable;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DeviceManagement.Jobs;

/// <summary>The job records of this gateway.</summary>
internal sealed class JobStore(string folder, ILogger logger)
{
    private static readonly Failpoint Written = new("job.record");

    private readonly DurableFolder<JobRecord> records = new(
        folder,
        DeviceManagementJson.Default.JobRecord,
        Written,
        logger
    );

    public IEnumerable<JobRecord> LoadAll() => records.LoadAll();

    public void Save(JobRecord record) => records.Save(record.JobId, record);

    public void Delete(string jobId) => records.Delete(jobId);
}
