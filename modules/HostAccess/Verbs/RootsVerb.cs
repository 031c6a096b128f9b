using EdgeDm.Contracts;
using EdgeDm.HostAccess.Audit;
using EdgeDm.HostAccess.Configuration;
using EdgeDm.HostAccess.Updates.Trust;

namespace EdgeDm.HostAccess.Verbs;

/// <summary>Replaces the root keys that this host trusts. Whoever calls proves nothing: the signatures of the present roots decide.</summary>
internal sealed class RootsVerb(HostTrust trust, VerbGate verbs, VerbOptions options)
{
    /// <summary>The verb's name in policy and audit log.</summary>
    public const string Name = "roots";

    /// <summary>What holds now. Throws <c>rootListDamaged</c>.</summary>
    public RootListStatus Read() => trust.Status;

    /// <summary>Takes a root list, or answers again for the one that is stored.</summary>
    public RootListStatus Replace(Caller caller, RootListSubmission request) =>
        verbs.Run(
            caller,
            Name,
            "",
            options.RootsEnabled,
            accept => HostErrors.AsOwn(() => trust.Replace(request.RootList, accept))
        );
}
