using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.DeviceManagement.Host;

namespace EdgeDm.DeviceManagement.Jobs.RebootDevice;

/// <summary>
/// Restarts the host: <c>reboot</c> (asked for, answered before it happens), then <c>confirm</c> (proved by a new host
/// instance id). The job's id is the command's id, so it never happens twice.
/// </summary>
internal sealed class RebootDeviceWork(HostAccessClient host, TimeProvider time) : IJobWork
{
    private const string Reboot = "reboot";
    private const string Confirm = "confirm";
    private const int MaxReason = 256;

    public string Type => JobTypes.RebootDevice;

    public TimeSpan DefaultTimeout => TimeSpan.FromMinutes(10);

    /// <summary>Rest between two looks at the host while it restarts.</summary>
    public TimeSpan LookPeriod { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time for answers to leave the gateway before it goes down.</summary>
    public int DelaySeconds { get; init; } = 1;

    public void Validate(JsonElement payload)
    {
        if (payload.ValueKind != JsonValueKind.Object)
        {
            throw ErrorRegistry.InvalidValue.Exception(
                Subsystems.DeviceManagement,
                "payload",
                "The payload of rebootDevice must be an object."
            );
        }
        if (payload.TryGetProperty("reason", out var reason))
        {
            if (reason.ValueKind != JsonValueKind.String || reason.GetString()!.Length > MaxReason)
            {
                throw ErrorRegistry.InvalidValue.Exception(
                    Subsystems.DeviceManagement,
                    "payload/reason",
                    $"The reason must be a string of at most {MaxReason} characters."
                );
            }
        }
    }

    public async Task<JsonElement?> RunAsync(JobRun run)
    {
        var reason = run.Payload.TryGetProperty("reason", out var given) ? given.GetString()! : run.Job.Record.Source;
        await run.StepAsync(
            Reboot,
            async () =>
            {
                var request = new RebootRequest(run.JobId, reason, DelaySeconds);
                await host.UntilAnsweredAsync(c => host.RebootAsync(request, c), run.Interruptible);
            }
        );
        await run.StepAsync(Confirm, () => ConfirmAsync(run));
        return null;
    }

    public Task BeforeCancelAsync(Job job, CancellationToken cancellationToken) =>
        job.Record.Steps.IsEmpty
            ? Task.CompletedTask
            : throw ErrorRegistry.JobNotCancellable.Exception(
                Subsystems.DeviceManagement,
                job.Record.JobId,
                "The host was asked to restart already."
            );

    private async Task ConfirmAsync(JobRun run)
    {
        while (true)
        {
            var status = await host.UntilAnsweredAsync(c => host.GetRebootAsync(run.JobId, c), run.Interruptible);
            if (status.State == "completed")
            {
                return;
            }
            await Task.Delay(LookPeriod, time, run.Interruptible);
        }
    }
}
