using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Nested;

/// <summary>
/// By which way an edgeHub speaks for a client: the client first, then each device above it, and last the edgeHub's own. As text
/// <c>edge/module;edge</c>.
/// </summary>
/// <param name="Links">At least one.</param>
internal sealed record AuthChain(ImmutableArray<HubIdentity> Links)
{
    /// <summary>Names in a chain: a module, its device and the most Edge devices that edgeHub allows above it, with room to spare.</summary>
    public const int MostLinks = 16;

    private const char Separator = ';';

    /// <summary>Whom it is about.</summary>
    public HubIdentity Target => Links[0];

    /// <summary>The device whose edgeHub speaks.</summary>
    public HubIdentity Actor => Links[^1];

    /// <summary>The module that signs for it.</summary>
    public HubIdentity Signer => new(Actor.DeviceId, SystemModules.EdgeHub);

    /// <summary>Reads a chain. Only the first name may be a module's.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out AuthChain? chain)
    {
        chain = null;
        var names = (text ?? "").Split(Separator, MostLinks + 1, StringSplitOptions.RemoveEmptyEntries);
        if (names.Length is 0 or > MostLinks)
        {
            return false;
        }
        var links = ImmutableArray.CreateBuilder<HubIdentity>(names.Length);
        foreach (var name in names)
        {
            var parts = name.Split('/');
            if (!parts.All(HubIdentity.IsValidId) || parts.Length > (links.Count == 0 ? 2 : 1))
            {
                return false;
            }
            links.Add(new(parts[0], parts.Length == 2 ? parts[1] : null));
        }
        chain = new(links.MoveToImmutable());
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(Separator, Links);
}
