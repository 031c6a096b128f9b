using EdgeDm.DevHub.Certificates;
using EdgeDm.DevHub.Deployment;
using EdgeDm.Hosting;

namespace EdgeDm.DevHub.Running;

/// <summary>
/// Runs the dev hub as the IoT Hub above an edgeHub that somebody else runs: it launches nothing, and a deployment gives it identities and
/// twins alone.
/// </summary>
internal static class UpstreamRun
{
    /// <summary>Serves until cancelled.</summary>
    /// <param name="server">The hub, with the deployment applied.</param>
    /// <param name="authority">Its certificates.</param>
    /// <param name="options">How it was started.</param>
    /// <param name="manifest">The deployment; without a file when there is none.</param>
    /// <param name="read">Reads it again.</param>
    /// <param name="context">The program.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task RunAsync(
        DevHubServer server,
        DevCertificateAuthority authority,
        DevHubRunOptions options,
        DeploymentManifest manifest,
        Func<DeploymentManifest> read,
        ProgramContext context,
        CancellationToken cancellationToken
    )
    {
        var files = UpstreamFiles.Write(options.Hub.DataFolder, server, authority);
        using var ready = ReadyFile.Write(options.Hub.DataFolder, server, authority);
        DevHubRun.Say(server, authority, options);
        Console.WriteLine(
            $"""
              variables for an edgeHub          {files.EdgeHub}
              connection string of the gateway  {files.Device}
            """
        );
        if (!ServesKnownPorts(server))
        {
            Console.WriteLine(
                $"  An edgeHub finds its hub at ports {DevHubOptions.DefaultMqttPort} and {DevHubOptions.DefaultHttpsPort} only, and this one has others."
            );
        }
        if (options.Deployment is null)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }
        var logger = context.Loggers.CreateLogger("DevHub");
        await new DeploymentFollower(read, server, context.Time, logger).RunAsync(manifest, cancellationToken);
    }

    private static bool ServesKnownPorts(DevHubServer server) =>
        (server.ContainerEndPoint?.Port ?? server.MqttPort) == DevHubOptions.DefaultMqttPort
        && (server.ContainerHttpsPort ?? server.HttpsPort) == DevHubOptions.DefaultHttpsPort;
}
