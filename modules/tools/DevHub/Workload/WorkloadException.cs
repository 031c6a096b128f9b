namespace EdgeDm.DevHub.Workload;

/// <summary>A request that is refused.</summary>
internal sealed class WorkloadException(int status, string message) : Exception(message)
{
    public int Status { get; } = status;
}
