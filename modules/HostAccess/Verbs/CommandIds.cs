using EdgeDm.Contracts;
using EdgeDm.Durable;

namespace EdgeDm.HostAccess.Verbs;

/// <summary>Ids of commands; they name records on disk.</summary>
internal static class CommandIds
{
    /// <summary>Throws <c>invalidValue</c> unless it is a valid id.</summary>
    public static void Require(string commandId)
    {
        if (!RecordIds.IsValid(commandId))
        {
            throw ErrorRegistry.InvalidValue.Refusal(
                "commandId",
                "commandId must be 1 to 128 of letters, digits, '-', '_', '.', and must not begin with a dot."
            );
        }
    }
}
