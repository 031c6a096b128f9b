using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>Asks the dev hub for a new address of its page.</summary>
internal static class HubPageHandler
{
    public static async Task<int> RunAsync(HubTarget target, CliContext context, CancellationToken cancellationToken)
    {
        await target.RequireDevHubAsync("only a dev hub has a page.", cancellationToken);
        var address = await target.Client.NewPageAddressAsync(cancellationToken);
        context.Terminal.Result(() => new JsonObject { ["address"] = address }, words => words.Say(address));
        return ExitCodes.Done;
    }
}
