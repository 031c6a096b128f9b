using EdgeDm.Contracts;

namespace EdgeDm.HostAccess.Verbs;

/// <summary>One disruptive action at a time. Whoever holds the turn lets nobody else begin.</summary>
internal sealed class HostTurn
{
    private readonly Lock gate = new();
    private string? holder;

    /// <summary>Takes the turn for a command, which may hold it already. Throws <c>hostBusy</c>.</summary>
    public void Take(string commandId)
    {
        lock (gate)
        {
            if (holder is not null && holder != commandId)
            {
                throw ErrorRegistry.HostBusy.Refusal(
                    commandId,
                    $"The host is busy with command '{holder}'.",
                    ("commandId", holder)
                );
            }
            holder = commandId;
        }
    }

    /// <summary>Gives the turn back. Nothing happens when another command holds it.</summary>
    public void Release(string commandId)
    {
        lock (gate)
        {
            if (holder == commandId)
            {
                holder = null;
            }
        }
    }
}
