using System.Net.NetworkInformation;
using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.HostAccess.Audit;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Verbs;

/// <summary>
/// The way that every verb takes: network rule, policy, then the verb itself, and one audit line whatever comes of it.
/// </summary>
internal sealed partial class VerbGate
{
    private static readonly TimeSpan DeniedInterval = TimeSpan.FromSeconds(1);

    private readonly AuditLog audit;
    private readonly bool requireNoNetwork;
    private readonly Func<IEnumerable<string>> interfaces;
    private readonly ILogger logger;
    private readonly TimeProvider time;
    private readonly Lock gate = new();
    private long? deniedAt;
    private int deniedUnwritten;

    /// <param name="audit">Gets the lines.</param>
    /// <param name="requireNoNetwork">Refuse every verb while an interface other than <c>lo</c> exists.</param>
    /// <param name="logger">Told of what could not be audited.</param>
    /// <param name="time">For thinning out the lines of denied callers.</param>
    /// <param name="interfaces">Names of the network interfaces that exist now; null = the system's.</param>
    public VerbGate(
        AuditLog audit,
        bool requireNoNetwork,
        ILogger logger,
        TimeProvider time,
        Func<IEnumerable<string>>? interfaces = null
    )
    {
        this.time = time;
        this.audit = audit;
        this.requireNoNetwork = requireNoNetwork;
        this.logger = logger;
        this.interfaces = interfaces ?? (() => NetworkInterface.GetAllNetworkInterfaces().Select(i => i.Name));
    }

    /// <summary>
    /// Runs a verb. The body calls its argument once it has decided and before it acts; without that line on disk nothing
    /// happens. A refusal is audited here.
    /// </summary>
    /// <typeparam name="T">The answer.</typeparam>
    /// <param name="caller">Who asks.</param>
    /// <param name="verb">For example <c>reboot</c>.</param>
    /// <param name="commandId">Empty when the verb has none.</param>
    /// <param name="enabled">What host-access.json says.</param>
    /// <param name="body">Decides, calls its argument with the outcome's word and a detail, acts.</param>
    public T Run<T>(Caller caller, string verb, string commandId, bool enabled, Func<Action<string, string?>, T> body)
    {
        try
        {
            RequireNoNetwork(verb);
            if (!enabled)
            {
                throw ErrorRegistry.VerbDisabled.Refusal(verb, $"This gateway does not allow '{verb}'.");
            }
            return body((outcome, detail) => audit.Write(caller, verb, commandId, outcome, error: null, detail));
        }
        catch (EdgeDmException refusal)
        {
            Write(caller, verb, commandId, refusal.Error, detail: null);
            throw;
        }
    }

    /// <summary>
    /// A caller who may not ask at all. One line a second at most, with the number of those left out: a stranger must not be able
    /// to wear the flash or to push everything else out of the log.
    /// </summary>
    public void Denied(Caller caller, string socket, ErrorObject error)
    {
        int leftOut;
        lock (gate)
        {
            if (deniedAt is { } last && time.GetElapsedTime(last) < DeniedInterval)
            {
                deniedUnwritten++;
                return;
            }
            deniedAt = time.GetTimestamp();
            leftOut = deniedUnwritten;
            deniedUnwritten = 0;
        }
        Write(caller, socket, "", error, leftOut == 0 ? null : $"{leftOut} before this one not listed");
    }

    private void Write(Caller caller, string verb, string commandId, ErrorObject error, string? detail)
    {
        try
        {
            // An id that is none could be anything; it does not belong into a log.
            audit.Write(caller, verb, RecordIds.IsValid(commandId) ? commandId : "", "refused", error.Name, detail);
        }
        catch (IOException failure)
        {
            LogNotAudited(logger, failure, verb, error.Name);
        }
    }

    private void RequireNoNetwork(string verb)
    {
        if (requireNoNetwork && interfaces().FirstOrDefault(name => name != "lo") is { } found)
        {
            throw ErrorRegistry.NetworkPresent.Refusal(
                verb,
                $"HostAccess must have no network, and the interface '{found}' exists.",
                ("interface", found)
            );
        }
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "A refusal of verb {Verb} ({Error}) could not be written to the audit log"
    )]
    private static partial void LogNotAudited(ILogger logger, Exception failure, string verb, string error);
}
