using System.Security.Cryptography;
using System.Text;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Audit;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Updates;
using EdgeDm.HostAccess.Updates.Staging;
using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Verbs;

/// <summary>What callers may ask about updates: verify, submit, watch, cancel, bring evidence.</summary>
internal sealed class UpdateVerbs(
    UpdateEngineParts parts,
    VerbGate verbs,
    VerbOptions options,
    UpdateEngine engine,
    PackageStore store
)
{
    /// <summary>The verb's name in policy; the audit log adds what exactly was asked.</summary>
    public const string Name = "update";

    private static readonly TimeSpan CancelPatience = TimeSpan.FromSeconds(10);

    private readonly Lock submitting = new();

    /// <summary>Whether a manifest would be accepted, and which files it needs. Changes nothing.</summary>
    public VerifiedUpdate Verify(Caller caller, UpdateVerification request) =>
        verbs.Run(
            caller,
            "update.verify",
            "",
            options.UpdateEnabled,
            accept =>
            {
                var update = parts.Admission.Admit(
                    request.UpdateManifest,
                    request.UpdateManifestSignature,
                    allowInstalled: true
                );
                var files = update
                    .Signed.Files.Values.Concat(update.Full?.Files.Values ?? [])
                    .DistinctBy(f => f.FileId);
                accept("verified", update.Signed.UpdateId.ToJson());
                return new VerifiedUpdate(
                    update.Signed.UpdateId.ToJson(),
                    parts.Installed.Has(update.Signed.UpdateId),
                    [.. files.Select(f => new VerifiedFile(f.FileId, f.FileName, f.SizeInBytes, f.Sha256))],
                    Complete: update.Full is not null
                );
            }
        );

    /// <summary>Ends when the host's turn is free, should the last update have ended but not been cleared up.</summary>
    public Task SettleAsync(CancellationToken cancel) => engine.SettleAsync(cancel);

    /// <summary>Accepts an update, or answers with the state of the one that has this id.</summary>
    public UpdateStatus Submit(Caller caller, UpdateSubmission request) =>
        verbs.Run(
            caller,
            "update.submit",
            request.CommandId,
            options.UpdateEnabled,
            accept =>
            {
                CommandIds.Require(request.CommandId);
                var digest = DigestOf(request);
                lock (submitting)
                {
                    if (parts.Journal.Find(request.CommandId) is not { } known)
                    {
                        return StatusOf(Accept(request, digest, accept));
                    }
                    if (known.ContentDigest != digest)
                    {
                        throw ErrorRegistry.CommandConflict.Refusal(
                            request.CommandId,
                            "An update with this command id and another manifest or signature was submitted before."
                        );
                    }
                    accept("known", null);
                    return StatusOf(known);
                }
            }
        );

    /// <summary>
    /// An update's status; with <paramref name="afterRevision"/> 0 or more, as soon as it has another revision. Cancelled, it tells
    /// what there is.
    /// </summary>
    public async Task<UpdateStatus> WatchAsync(
        string commandId,
        long afterRevision,
        TimeSpan wait,
        CancellationToken cancel
    ) => StatusOf(await parts.Journal.WaitAsync(commandId, record => record.Revision != afterRevision, wait, cancel));

    /// <summary>Ends an update that has not begun to change the host.</summary>
    public async Task<UpdateStatus> CancelAsync(Caller caller, string commandId, CancellationToken cancel)
    {
        verbs.Run(
            caller,
            "update.cancel",
            commandId,
            options.UpdateEnabled,
            accept => Cancel(commandId, () => accept("accepted", null))
        );
        engine.WakeForCancel();
        return StatusOf(await parts.Journal.WaitAsync(commandId, record => record.IsTerminal, CancelPatience, cancel));
    }

    /// <summary>Takes health evidence about the present host instance.</summary>
    public UpdateStatus Accept(Caller caller, string commandId, HealthEvidence evidence) =>
        verbs.Run(
            caller,
            "update.evidence",
            commandId,
            options.UpdateEnabled,
            accept =>
            {
                var record = parts.Journal.Get(commandId);
                if (evidence.HostInstanceId != parts.Host.InstanceId)
                {
                    throw ErrorRegistry.EvidenceOfOtherInstance.Refusal(
                        commandId,
                        "The evidence is about another host instance.",
                        ("hostInstanceId", parts.Host.InstanceId)
                    );
                }
                if (record.State == HostUpdateState.Verifying)
                {
                    // It comes every few seconds; the log gets it when it says something new.
                    if (parts.Gate.Accept(evidence, parts.Host.Uptime))
                    {
                        accept("taken", null);
                    }
                    engine.WakeForEvidence();
                }
                return StatusOf(record);
            }
        );

    private UpdateRecord Accept(UpdateSubmission request, string digest, Action<string, string?> accept)
    {
        var update = parts.Admission.Admit(request.UpdateManifest, request.UpdateManifestSignature);
        var full = RequireStored(update);
        parts.Turn.Take(Name, request.CommandId);
        try
        {
            accept("accepted", update.Signed.UpdateId.ToJson());
            var record = new UpdateRecord(
                request.CommandId,
                digest,
                update.Signed.UpdateId.ToJson(),
                parts.Time.GetUtcNow(),
                [.. full.Steps.Select(step => new StepRecord(step.Index, step.Handler))]
            )
            {
                UpdateManifest = request.UpdateManifest,
                UpdateManifestSignature = request.UpdateManifestSignature,
                ManifestCreated = full.CreatedDateTime ?? update.Signed.CreatedDateTime,
            };
            parts.Journal.Add(record);
            engine.Start(request.CommandId);
            return record;
        }
        catch
        {
            parts.Turn.Release(Name, request.CommandId);
            throw;
        }
    }

    /// <summary>A file that is not there is said before a command id is spent; whoever submits fetches it and submits again.</summary>
    private UpdateManifest RequireStored(AdmittedUpdate update)
    {
        foreach (var file in update.Signed.Files.Values.Concat(update.Full?.Files.Values ?? []))
        {
            store.Require(file);
        }
        return update.Full ?? throw new InvalidOperationException("A stored detached manifest was not resolved.");
    }

    private UpdateRecord Cancel(string commandId, Action accept) =>
        parts.Journal.Change(
            commandId,
            record =>
            {
                if (record.State == HostUpdateState.Cancelled || (record.CancelRequested && !record.IsTerminal))
                {
                    return record;
                }
                if (record.IsTerminal || record.Changing)
                {
                    throw ErrorRegistry.JobNotCancellable.Refusal(
                        commandId,
                        record.IsTerminal
                            ? $"The update has ended: {record.State}."
                            : "A step of the update has begun to change the host."
                    );
                }
                accept();
                return record with { CancelRequested = true };
            }
        );

    private UpdateStatus StatusOf(UpdateRecord record)
    {
        DateTimeOffset? deadline = record.Trial is { } trial
            ? parts.Time.GetUtcNow() + (parts.Gate.DeadlineOf(trial) - parts.Host.Uptime)
            : null;
        return record.ToStatus(parts.Host.InstanceId, deadline);
    }

    private static string DigestOf(UpdateSubmission request) =>
        Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{request.UpdateManifest}\n{request.UpdateManifestSignature}"))
        );
}
