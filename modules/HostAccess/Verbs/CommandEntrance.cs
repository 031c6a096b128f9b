using EdgeDm.Contracts;

namespace EdgeDm.HostAccess.Verbs;

/// <summary>
/// How a verb takes a command: one that it knows is answered, one with a known id and other content refused; a new one is within the rate, has the
/// host's turn, is audited and on disk before anything happens.
/// </summary>
/// <typeparam name="TEntry">What is kept of one.</typeparam>
/// <param name="verb">Its name.</param>
/// <param name="ledger">Its commands.</param>
/// <param name="perHour">Its rate.</param>
/// <param name="turn">The host's turn; null for a verb that disturbs nobody.</param>
internal sealed class CommandEntrance<TEntry>(string verb, CommandLedger<TEntry> ledger, int perHour, HostTurn? turn)
    where TEntry : CommandEntry
{
    private readonly Lock gate = new();

    /// <summary>The command as it was accepted now or before.</summary>
    /// <param name="asked">Made from the request.</param>
    /// <param name="audit">Writes the audit line; see <see cref="VerbGate.Run"/>.</param>
    /// <param name="detail">For the audit line of a new one.</param>
    /// <param name="prepare">What else must hold of a new one, ahead of everything; it may fill in what the host tells.</param>
    /// <param name="begin">Begins a new one. Must not wait.</param>
    public TEntry Take(
        TEntry asked,
        Action<string, string?> audit,
        string detail,
        Func<TEntry, TEntry> prepare,
        Action<TEntry>? begin = null
    )
    {
        lock (gate)
        {
            if (ledger.Find(asked.CommandId) is { } known)
            {
                RequireSame(known, asked);
                audit("known", null);
                return known;
            }
            ledger.RequireRate(perHour, asked.AcceptedInstanceId, asked.AcceptedUptime);
            var entry = prepare(asked);
            turn?.Take(verb, entry.CommandId);
            try
            {
                audit("accepted", detail);
                entry = ledger.Add(entry);
                begin?.Invoke(entry);
                return entry;
            }
            catch
            {
                turn?.Release(verb, entry.CommandId);
                throw;
            }
        }
    }

    private void RequireSame(TEntry known, TEntry asked)
    {
        if (!known.Content.Equals(asked.Content))
        {
            throw ErrorRegistry.CommandConflict.Refusal(
                asked.CommandId,
                $"A command '{verb}' with this command id and other content was accepted before."
            );
        }
    }
}
