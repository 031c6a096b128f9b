using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Launching.Containers;

/// <summary>
/// A container that plays the gateway's operating system, beside the modules. On a real gateway nothing outlives its host; here the
/// modules would, so they die when that container does, and come back with it.
/// </summary>
/// <param name="engine">Where it runs.</param>
/// <param name="name">The container; whoever made it starts it again, for example Docker by its restart policy.</param>
/// <param name="time">Measures waits.</param>
/// <param name="logger">Told what happens.</param>
internal sealed partial class HostContainer(DockerEngine engine, string name, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(200);

    /// <summary>Waits until it runs, and tells which of its lives that is.</summary>
    public async Task<string> WaitUntilUpAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await LifeAsync(cancellationToken) is { } life)
            {
                return life;
            }
            await Task.Delay(LookAgain, time, cancellationToken);
        }
    }

    /// <summary>Follows it until cancelled.</summary>
    /// <param name="life">The one that the modules were started in.</param>
    /// <param name="launcher">The modules.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task FollowAsync(string life, ModuleLauncher launcher, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var end = await engine.WatchAsync(name, "next-exit", cancellationToken);
                if (await LifeAsync(cancellationToken) == life)
                {
                    await end;
                }
            }
            catch (IOException error)
            {
                LogLost(logger, name, error.Message);
                await Task.Delay(LookAgain, time, cancellationToken);
            }
            if (await LifeAsync(cancellationToken) != life)
            {
                var up = WaitUntilUpAsync(cancellationToken);
                await launcher.FollowHostDownAsync(up, cancellationToken);
                life = await up;
            }
        }
    }

    // Null: it does not run.
    private async Task<string?> LifeAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await engine.InspectAsync(name, cancellationToken) is { Running: true, Restarting: false } state
                ? state.StartedAt
                : null;
        }
        catch (IOException error)
        {
            LogLost(logger, name, error.Message);
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Lost sight of the host {Container}: {Reason}")]
    private static partial void LogLost(ILogger logger, string container, string reason);
}
