using System.Text;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Hosts;
using EdgeDm.HostAccess.Updates.Handlers;
using EdgeDm.HostAccess.Updates.Staging;
using EdgeDm.HostAccess.Updates.Trust;
using EdgeDm.Updates;

namespace EdgeDm.HostAccess.Updates;

/// <summary>
/// Decides whether an update may be installed here. Asked when an update is submitted and again right before its files are used;
/// believes nothing that anyone else has checked.
/// </summary>
internal sealed class UpdateAdmission(
    HostTrust trust,
    IHost host,
    UpdateHandlers handlers,
    InstalledUpdates installed,
    PackageStore store
)
{
    /// <summary>
    /// Checks signature, form, fit and order. Returns what the manifest says; a detached manifest that is not in the store yet
    /// comes back as its stub. Throws the refusal.
    /// </summary>
    /// <param name="manifest">The exact text.</param>
    /// <param name="signature">Its JWS.</param>
    /// <param name="allowInstalled">True: exactly what is installed is no error.</param>
    public AdmittedUpdate Admit(string manifest, string signature, bool allowInstalled = false) =>
        HostErrors.AsOwn(() => Judge(manifest, signature, allowInstalled));

    private AdmittedUpdate Judge(string manifest, string signature, bool allowInstalled)
    {
        var bytes = Encoding.UTF8.GetBytes(manifest);
        if (bytes.Length > ManifestLimits.MaxManifestBytes)
        {
            throw ErrorRegistry.TooLarge.Refusal(
                "updateManifest",
                $"The manifest has {bytes.Length} bytes; at most {ManifestLimits.MaxManifestBytes} are read."
            );
        }
        // Before the signature holds, nothing of the content counts, not even for an error message.
        ManifestSignature.Verify(bytes, signature, trust.Roots);
        var signed = UpdateManifest.Parse(bytes);
        if (!allowInstalled || !installed.Has(signed.UpdateId))
        {
            installed.RequireNewer(signed.UpdateId);
        }
        var full = Resolve(signed);
        CheckFit(full ?? signed, isStub: full is null);
        if (full is not null)
        {
            CheckSteps(full);
            installed.RequireRecent(full.CreatedDateTime ?? signed.CreatedDateTime);
        }
        return new(signed, full);
    }

    private UpdateManifest? Resolve(UpdateManifest signed)
    {
        if (signed.DetachedManifestFileId is not { } fileId)
        {
            return signed;
        }
        var file = signed.Files[fileId];
        return store.Has(file) ? signed.ResolveDetached(store.ReadSmall(file)) : null;
    }

    private void CheckFit(UpdateManifest manifest, bool isStub)
    {
        if (isStub && manifest.Compatibility.Length == 0)
        {
            return; // Its full manifest will tell.
        }
        var facts = host.Read();
        var properties = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["deviceManufacturer"] = facts.Manufacturer,
            ["deviceModel"] = facts.Model,
        };
        if (!manifest.IsCompatibleWith(properties))
        {
            throw ErrorRegistry.NotCompatible.Refusal(
                "compatibility",
                $"The update does not name this host ({facts.Manufacturer} {facts.Model}).",
                ("deviceManufacturer", facts.Manufacturer),
                ("deviceModel", facts.Model)
            );
        }
    }

    private void CheckSteps(UpdateManifest manifest)
    {
        foreach (var step in manifest.Steps)
        {
            var context = $"instructions.steps[{step.Index}]";
            if (step.Type != StepTypes.Inline)
            {
                throw ErrorRegistry.UnknownHandler.Refusal(context, "This host takes inline steps only.");
            }
            var handler =
                handlers.Find(step.Handler)
                ?? throw ErrorRegistry.UnknownHandler.Refusal(
                    context,
                    $"This host does not offer the handler '{step.Handler}'.",
                    ("handler", step.Handler)
                );
            handler.Check(manifest, step);
        }
    }
}

/// <summary>An update that may be installed here.</summary>
/// <param name="Signed">What was signed: the manifest, or the stub of a detached one.</param>
/// <param name="Full">The whole manifest; null when it is detached and its file is not in the store.</param>
internal sealed record AdmittedUpdate(UpdateManifest Signed, UpdateManifest? Full);
