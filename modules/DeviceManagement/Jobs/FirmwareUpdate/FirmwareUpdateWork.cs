using System.Collections.Immutable;
using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.DeviceManagement.Downloads;
using EdgeDm.DeviceManagement.Groups.TrustedRoots;
using EdgeDm.DeviceManagement.Health;
using EdgeDm.DeviceManagement.Host;

namespace EdgeDm.DeviceManagement.Jobs.FirmwareUpdate;

/// <summary>
/// One firmware update: <c>check</c> (HostAccess judges the signed manifest before anything is fetched), <c>download</c>,
/// <c>install</c> (HostAccess's own journal takes over), <c>verify</c> (health evidence until the host commits or rolls back).
/// The job's time covers check and download; from install on the host's own limits hold, because a host must not be left half-way.
/// </summary>
internal sealed class FirmwareUpdateWork(
    HostAccessClient host,
    DownloadDesk downloads,
    HealthWitness witness,
    InstalledUpdate installed,
    TrustedRootsGroup roots,
    TimeSpan fetchTimeout,
    TimeProvider time
) : IJobWork
{
    /// <summary>Step names, as operators see them.</summary>
    public const string Check = "check",
        Download = "download",
        Install = "install",
        Verify = "verify";

    private const int LongPollSeconds = 20;

    public string Type => JobTypes.FirmwareUpdate;

    /// <summary>Check and download; a slow link, an edgeHub that is away and addresses that must be renewed are nothing unusual.</summary>
    public TimeSpan DefaultTimeout => fetchTimeout;

    public void Validate(JsonElement payload) => FirmwareUpdatePayload.Parse(payload);

    public string IdentityOf(JsonElement payload) => FirmwareUpdatePayload.Parse(payload).Identity;

    public async Task<JsonElement?> RunAsync(JobRun run)
    {
        await run.StepAsync(Check, () => CheckAsync(run));
        if (StateOf(run).AlreadyInstalled)
        {
            return Result(InstallResults.AlreadyInstalled());
        }
        await run.StepAsync(Download, () => DownloadAsync(run));
        if (StateOf(run).AlreadyInstalled)
        {
            return Result(InstallResults.AlreadyInstalled());
        }
        await run.StepAsync(Install, () => InstallAsync(run), beginsAnyway: run.HasBegun(Install));
        UpdateStatus? end = null;
        await run.StepAsync(Verify, async () => end = await VerifyAsync(run), beginsAnyway: true);
        end ??= await StatusAsync(run, null);
        await installed.RefreshAsync(run.Stopping); // Reported in one patch with the end.
        return Result(InstallResults.Of(end));
    }

    public async Task BeforeCancelAsync(Job job, CancellationToken cancellationToken)
    {
        if (job.Record.Steps.LastOrDefault()?.Name is Install or Verify)
        {
            try
            {
                await host.CancelAsync(job.Record.JobId, cancellationToken);
            }
            catch (EdgeDmException error) when (error.Error.Code == ErrorRegistry.CommandNotFound.Code)
            {
                // Not handed over yet: the step looks for the cancellation before it does, and after.
            }
        }
    }

    private async Task CheckAsync(JobRun run)
    {
        var payload = FirmwareUpdatePayload.Parse(run.Payload);
        if (payload.PackageUri is not null)
        {
            // A bundle's manifest is inside: judged when it is here.
            Keep(run, new(null, null, [], Complete: false, AlreadyInstalled: false), null);
            return;
        }
        await JudgeAsync(run, payload.UpdateManifest!, payload.UpdateManifestSignature!);
    }

    private async Task DownloadAsync(JobRun run)
    {
        if (FirmwareUpdatePayload.Parse(run.Payload).PackageUri is not null)
        {
            var bundle = await FetchAsync(
                run,
                run.JobId,
                () => new(run.JobId, [], FirmwareUpdatePayload.Parse(run.Payload).PackageUri)
            );
            await JudgeAsync(run, bundle.UpdateManifest ?? "", bundle.UpdateManifestSignature ?? "");
        }
        if (!StateOf(run).Complete && !StateOf(run).AlreadyInstalled)
        {
            await FetchFilesAsync(run, run.JobId + "-manifest");
            await JudgeAsync(run, StateOf(run).UpdateManifest!, StateOf(run).UpdateManifestSignature!);
        }
        if (FirmwareUpdatePayload.Parse(run.Payload).PackageUri is null && !StateOf(run).AlreadyInstalled)
        {
            await FetchFilesAsync(run, run.JobId);
        }
    }

    private async Task InstallAsync(JobRun run)
    {
        var status = await HandOverAsync(run);
        while (status.State != HostUpdateState.Verifying && !HostUpdateState.IsTerminal(status.State))
        {
            run.Progress(status.Percent);
            status = await StatusAsync(run, status.Revision);
        }
        await RequireGoodAsync(run, status);
    }

    /// <summary>
    /// Gives the update to the host, unless the job was cancelled. A cancellation that meets the submission on its way calls it back
    /// afterwards: then it is the host that says whether it was early enough.
    /// </summary>
    private async Task<UpdateStatus> HandOverAsync(JobRun run)
    {
        var state = StateOf(run);
        var submission = new UpdateSubmission(run.JobId, state.UpdateManifest!, state.UpdateManifestSignature!);
        var status = await host.UntilAnsweredAsync(
            c => run.IsCancelRequested ? CallBackAsync(run, c) : host.SubmitAsync(submission, c),
            run.Stopping,
            run.Waits
        );
        return run.IsCancelRequested && !HostUpdateState.IsTerminal(status.State)
            ? await host.UntilAnsweredAsync(c => CallBackAsync(run, c), run.Stopping, run.Waits)
            : status;
    }

    private async Task<UpdateStatus> CallBackAsync(JobRun run, CancellationToken cancellationToken)
    {
        try
        {
            return await host.CancelAsync(run.JobId, cancellationToken);
        }
        catch (EdgeDmException error) when (error.Error.Code == ErrorRegistry.JobNotCancellable.Code)
        {
            return await host.GetUpdateAsync(run.JobId, null, 0, cancellationToken);
        }
        catch (EdgeDmException error) when (error.Error.Code == ErrorRegistry.CommandNotFound.Code)
        {
            throw new OperationCanceledException("The job was cancelled before the host had it.", error);
        }
    }

    private async Task<UpdateStatus> VerifyAsync(JobRun run)
    {
        var status = await StatusAsync(run, null);
        using var pings = witness.Observe();
        while (!HostUpdateState.IsTerminal(status.State))
        {
            run.Progress(status.Percent);
            if (status.State == HostUpdateState.Verifying)
            {
                witness.Ping();
                status = await PostEvidenceAsync(run, status);
                await NewsAsync(run, status);
            }
            else
            {
                status = await StatusAsync(run, status.Revision);
            }
        }
        await RequireGoodAsync(run, status);
        return status;
    }

    /// <summary>Ends the job within the step in which the host ended the update otherwise than committed.</summary>
    private async Task RequireGoodAsync(JobRun run, UpdateStatus status)
    {
        if (!HostUpdateState.IsTerminal(status.State) || status.State == HostUpdateState.Committed)
        {
            return;
        }
        await installed.RefreshAsync(run.Stopping); // Reported in one patch with the end.
        throw new JobFailedException(
            status.State == HostUpdateState.Cancelled ? JobStatuses.Cancelled : JobStatuses.Failed,
            status.Error ?? Unexplained(status),
            Result(InstallResults.Of(status))
        );
    }

    /// <summary>Waits for the host's verdict or for other evidence, at most one period of the witness.</summary>
    private async Task NewsAsync(JobRun run, UpdateStatus status)
    {
        if (HostUpdateState.IsTerminal(status.State))
        {
            return; // The evidence was answered with it.
        }
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(run.Stopping);
        var verdict = host.GetUpdateAsync(run.JobId, status.Revision, LongPollSeconds, enough.Token);
        var news = witness.NextAsync(enough.Token);
        await Task.WhenAny(verdict, news);
        await enough.CancelAsync();
        // Whatever it was, the next round asks again.
        await Task.WhenAll(verdict, news).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        run.Stopping.ThrowIfCancellationRequested();
    }

    private async Task<UpdateStatus> PostEvidenceAsync(JobRun run, UpdateStatus status)
    {
        try
        {
            return await host.UntilAnsweredAsync(
                c => host.PostEvidenceAsync(run.JobId, witness.Evidence(status.HostInstanceId), c),
                run.Stopping,
                run.Waits
            );
        }
        catch (EdgeDmException error) when (error.Error.Code == ErrorRegistry.EvidenceOfOtherInstance.Code)
        {
            // The host restarted in between: the next round speaks of the new instance.
            return await StatusAsync(run, null);
        }
    }

    private Task<UpdateStatus> StatusAsync(JobRun run, long? afterRevision) =>
        host.UntilAnsweredAsync(
            c => host.GetUpdateAsync(run.JobId, afterRevision, LongPollSeconds, c),
            run.Stopping,
            run.Waits
        );

    /// <summary>HostAccess verifies signature, compatibility and version, and tells the files.</summary>
    private async Task JudgeAsync(JobRun run, string manifest, string signature)
    {
        var request = new UpdateVerification(manifest, signature);
        await roots.SettledAsync(run.Interruptible);
        var verified = await host.UntilAnsweredAsync(c => host.VerifyAsync(request, c), run.Interruptible);
        Keep(
            run,
            new(manifest, signature, verified.Files, verified.Complete, verified.AlreadyInstalled),
            verified.UpdateId
        );
    }

    private Task<DownloadCompleted> FetchFilesAsync(JobRun run, string downloadId) =>
        FetchAsync(run, downloadId, () => new(downloadId, FilesOf(run)));

    private async Task<DownloadCompleted> FetchAsync(JobRun run, string downloadId, Func<DownloadRequest> request)
    {
        void Remind() => downloads.Remind(downloadId);
        run.Job.PayloadChanged += Remind;
        try
        {
            return await downloads.FetchAsync(
                downloadId,
                request,
                bytes => run.Progress(PercentOf(bytes), bytes),
                run.Waits,
                run.Interruptible
            );
        }
        finally
        {
            run.Job.PayloadChanged -= Remind;
        }
    }

    private static ImmutableArray<DownloadFile> FilesOf(JobRun run)
    {
        var urls = FirmwareUpdatePayload.Parse(run.Payload).FileUrls;
        return
        [
            .. StateOf(run)
                .Files.Select(f => new DownloadFile(
                    f.FileId,
                    f.FileName,
                    f.SizeInBytes,
                    f.Sha256,
                    urls.TryGetValue(f.FileId, out var addresses)
                        ? addresses
                        : throw ErrorRegistry.MissingUrl.Exception(
                            Subsystems.DeviceManagement,
                            $"fileUrls/{f.FileId}",
                            $"File '{f.FileName}' has no address."
                        )
                )),
        ];
    }

    private static int PercentOf(DownloadBytes bytes) =>
        bytes.Total <= 0 ? 0 : (int)Math.Clamp((bytes.Fetched + bytes.Reused) * 100 / bytes.Total, 0, 100);

    private static FirmwareUpdateState StateOf(JobRun run) =>
        run.State(DeviceManagementJson.Default.FirmwareUpdateState)
        ?? throw new InvalidOperationException($"Job '{run.JobId}' has no state after its first step.");

    private static void Keep(JobRun run, FirmwareUpdateState state, string? updateId) =>
        run.SaveState(state, DeviceManagementJson.Default.FirmwareUpdateState, updateId);

    private static JsonElement Result(InstallResult result) =>
        JsonSerializer.SerializeToElement(result, ContractsJson.Default.InstallResult);

    private ErrorObject Unexplained(UpdateStatus end) =>
        ErrorRegistry.StepFailed.Error(
            Subsystems.DeviceManagement,
            end.State,
            $"HostAccess ended the update as {end.State} at {time.GetUtcNow():O} without an error."
        );
}
