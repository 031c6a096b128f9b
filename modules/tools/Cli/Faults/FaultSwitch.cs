using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>Turns a fault on and tells what will be wrong, for how long, and how it ends.</summary>
internal static class FaultSwitch
{
    /// <summary>For <see cref="HubTarget.RequireDevHubAsync"/>.</summary>
    public const string DevHubAlone = "only a dev hub has faults on purpose.";

    public static async Task<int> OnAsync(
        JsonObject asked,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        await target.RequireDevHubAsync(DevHubAlone, cancellationToken);
        var fault = await target.Client.AddFaultAsync(asked, cancellationToken);
        context.Terminal.Result(
            () => fault.DeepClone(),
            words => words.Say($"Fault {FaultText.Of(fault)}. To end it: edgedm hub restore {fault["id"]}")
        );
        return ExitCodes.Done;
    }
}
