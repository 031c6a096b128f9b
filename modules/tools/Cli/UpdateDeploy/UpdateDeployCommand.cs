using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm update deploy</c>.</summary>
internal static class UpdateDeployCommand
{
    public static Command Create()
    {
        var update = new Argument<string>("update")
        {
            Description = "A folder that 'update create' published, a bundle of it, or a bundle's address.",
        };
        var baseUrl = new Option<string?>("--base-url")
        {
            Description =
                "Where the folder is served; file names are added to its path, a query (a SAS) is kept. [env: EDGEDM_BASE_URL]",
            HelpName = "url",
        };
        var workflow = new Option<string?>("--workflow")
        {
            Description = "An id of your own. A new one retries an update that failed.",
            HelpName = "id",
        };
        var deployment = new Option<string?>("--deployment")
        {
            Description = "The gateway reports this label with the result. [default: a new one]",
            HelpName = "label",
        };
        var follow = new Option<bool>("--watch") { Description = "Follow the update to its end, as 'job watch' does." };
        var command = new Command(
            "deploy",
            """
            Deploys an update: sets desired property firmwareUpdate in the twin of DeviceManagement.

            The gateway fetches the files from --base-url, checks signature and digests itself, installs, restarts if asked to,
            and rolls back when it does not come up healthy.
            """
        )
        {
            update,
            baseUrl,
            workflow,
            deployment,
            follow,
        };
        var watch = WatchOptions.AddTo(command);
        var hub = HubOptions.AddTo(command);
        return command.Runs(
            async (result, context, cancellationToken) =>
            {
                using var target = hub.Open(result, context);
                return await UpdateDeployHandler.RunAsync(
                    new(
                        result.GetRequiredValue(update),
                        result.GetValue(baseUrl) ?? context.Environment.Find(CliEnvironment.BaseUrl),
                        result.GetValue(workflow),
                        result.GetValue(deployment),
                        result.GetValue(follow) ? watch.Read(result) : null
                    ),
                    target,
                    context,
                    cancellationToken
                );
            }
        );
    }
}
