namespace EdgeDm.Cli;

/// <summary>Asks the dev hub what goes wrong on purpose.</summary>
internal static class HubFaultsHandler
{
    public static async Task<int> RunAsync(HubTarget target, CliContext context, CancellationToken cancellationToken)
    {
        await target.RequireDevHubAsync(FaultSwitch.DevHubAlone, cancellationToken);
        var faults = await target.Client.ListFaultsAsync(cancellationToken);
        context.Terminal.Result(
            () => faults.DeepClone(),
            words =>
            {
                if (faults.Count == 0)
                {
                    words.Say("Nothing goes wrong on purpose.");
                }
                foreach (var fault in faults)
                {
                    words.Say(FaultText.Of(fault!));
                }
            }
        );
        return ExitCodes.Done;
    }
}
