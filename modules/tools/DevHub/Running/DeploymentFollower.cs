using System.Text.Json.Nodes;
using EdgeDm.DevHub.Deployment;
using EdgeDm.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Running;

/// <summary>
/// Follows the deployment's file while the hub runs, as a gateway follows the deployments that are pushed to it: identities and twins;
/// routes and modules follow those. A file that is wrong changes nothing.
/// </summary>
internal sealed partial class DeploymentFollower(
    Func<DeploymentManifest> read,
    DevHubServer server,
    TimeProvider time,
    ILogger logger
)
{
    // An editor writes a file in several steps.
    private static readonly TimeSpan SettleTime = TimeSpan.FromMilliseconds(200);

    /// <summary>Follows until cancelled.</summary>
    /// <param name="current">The deployment in force.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(DeploymentManifest current, CancellationToken cancellationToken)
    {
        var changed = new AsyncAutoResetEvent();
        using var watcher = new FileSystemWatcher(Path.GetDirectoryName(current.File)!, Path.GetFileName(current.File));
        watcher.Changed += (_, _) => changed.Set();
        watcher.Created += (_, _) => changed.Set();
        watcher.Renamed += (_, _) => changed.Set();
        watcher.EnableRaisingEvents = true;
        changed.Set(); // It may have changed before the watch began.
        while (true)
        {
            await changed.WaitAsync(cancellationToken);
            await Task.Delay(SettleTime, time, cancellationToken);
            current = Follow(current);
        }
    }

    private DeploymentManifest Follow(DeploymentManifest current)
    {
        try
        {
            var next = read();
            if (JsonNode.DeepEquals(next.ModulesContent, current.ModulesContent))
            {
                return current;
            }
            server.ApplyManifest(next.ModulesContent);
            return next;
        }
        catch (Exception error) when (error is MisconfiguredException or HubException)
        {
            LogWrong(logger, error.Message);
            return current;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The changed deployment is not followed: {Reason}")]
    private static partial void LogWrong(ILogger logger, string reason);
}
