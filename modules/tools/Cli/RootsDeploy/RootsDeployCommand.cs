using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm roots deploy</c>.</summary>
internal static class RootsDeployCommand
{
    public static Command Create()
    {
        var list = new Argument<string>("list") { Description = "The signed root list." };
        var deployment = new Option<string?>("--deployment")
        {
            Description = "The gateway reports this label with the result. [default: a new one]",
            HelpName = "label",
        };
        var command = new Command(
            "deploy",
            """
            Deploys a root list: sets desired property trustedRoots in the twin of DeviceManagement.

            The gateway takes it when enough of its present roots signed it and it is newer than the one before, and reports which
            keys it trusts then. Its host-access.json has to enable the verb 'roots'.
            """
        )
        {
            list,
            deployment,
        };
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await RootsDeployHandler.RunAsync(
                    new(result.GetRequiredValue(list), result.GetValue(deployment)),
                    target,
                    context,
                    cancellationToken
                );
            }
        );
    }
}
