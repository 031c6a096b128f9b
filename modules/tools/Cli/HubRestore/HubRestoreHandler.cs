namespace EdgeDm.Cli;

/// <summary>Ends faults.</summary>
internal static class HubRestoreHandler
{
    /// <param name="fault">Its number; null = all.</param>
    /// <param name="target">The hub.</param>
    /// <param name="context">Where to tell which those were.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<int> RunAsync(
        int? fault,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        await target.RequireDevHubAsync(FaultSwitch.DevHubAlone, cancellationToken);
        var ended = await target.Client.EndFaultsAsync(fault, cancellationToken);
        context.Terminal.Result(
            () => ended.DeepClone(),
            words =>
            {
                if (ended.Count == 0)
                {
                    words.Say("Nothing went wrong on purpose.");
                }
                foreach (var one in ended)
                {
                    words.Say($"Ended {FaultText.Of(one!)}.");
                }
            }
        );
        return ExitCodes.Done;
    }
}
