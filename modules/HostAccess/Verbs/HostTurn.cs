using EdgeDm.Contracts;

namespace EdgeDm.HostAccess.Verbs;

/// <summary>One disruptive action at a time. Whoever holds the turn lets nobody else begin.</summary>
internal sealed class HostTurn
{
    private readonly Lock gate = new();
    private (string Verb, string CommandId)? holder;

    /// <summary>Takes the turn for a command, which may hold it already. Throws <c>hostBusy</c>.</summary>
    public void Take(string verb, string commandId)
    {
        lock (gate)
        {
            if (holder is { } other && other != (verb, commandId))
            {
                throw ErrorRegistry.HostBusy.Refusal(
                    commandId,
                    $"The host is busy with {other.Verb} '{other.CommandId}'.",
                    ("verb", other.Verb),
                    ("commandId", other.CommandId)
                );
            }
            holder = (verb, commandId);
        }
    }

    /// <summary>Gives the turn back. Nothing happens when another command holds it.</summary>
    public void Release(string verb, string commandId)
    {
        lock (gate)
        {
            if (holder == (verb, commandId))
            {
                holder = null;
            }
        }
    }
}
