using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>Which packets are dropped.</summary>
/// <param name="What">Their kind.</param>
/// <param name="Next">The next so many; null = a share.</param>
/// <param name="Share">This share of all; null = the next so many.</param>
/// <param name="Seed">Chooses them; null = the hub takes one.</param>
internal sealed record DropWish(string What, int? Next, double? Share, int? Seed);

/// <summary>Drops packets.</summary>
internal static class HubDropHandler
{
    public static Task<int> RunAsync(
        JsonObject asked,
        DropWish wish,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        asked["what"] = wish.What;
        asked["next"] = wish.Next;
        asked["share"] = wish.Share;
        asked["seed"] = wish.Seed;
        return FaultSwitch.OnAsync(asked, target, context, cancellationToken);
    }
}
