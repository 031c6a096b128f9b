using EdgeDm.Contracts;
using EdgeDm.HostAccess.Hosts.Linux.Rauc;
using Microsoft.Extensions.Logging;

namespace EdgeDm.HostAccess.Updates.Handlers.Rauc;

/// <summary>
/// Marks the slot that runs as good, once in each life of HostAccess, unless an update has it on trial. Boot loaders count starts that
/// nobody called good, and would leave a good slot one day.
/// </summary>
internal sealed partial class BootedSlot : IAsyncDisposable
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource stop = new();
    private readonly Task marking;

    /// <param name="rauc">The host's RAUC.</param>
    /// <param name="origins">Slots that the updates which are not over came from; any other one that runs is on trial.</param>
    /// <param name="time">For waiting.</param>
    /// <param name="logger">Told of the mark, and of what hinders it.</param>
    public BootedSlot(RaucInstaller rauc, IReadOnlyList<string> origins, TimeProvider time, ILogger logger) =>
        marking = Task.Run(() => MarkAsync(rauc, origins, time, logger, stop.Token), CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await marking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.Dispose();
    }

    private static async Task MarkAsync(
        RaucInstaller rauc,
        IReadOnlyList<string> origins,
        TimeProvider time,
        ILogger logger,
        CancellationToken stopping
    )
    {
        string? told = null;
        while (true)
        {
            try
            {
                var booted = rauc.ReadSlots().Booted.Name;
                if (origins.All(origin => origin == booted))
                {
                    rauc.Mark("good", "booted");
                    LogGood(logger, booted);
                }
                return;
            }
            catch (EdgeDmException error)
            {
                if (error.Message != told)
                {
                    LogWaits(logger, RetryPause.TotalSeconds, error.Message);
                    told = error.Message; // It may last, and is told once.
                }
            }
            await Task.Delay(RetryPause, time, stopping);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Slot {Slot} runs and is marked good")]
    private static partial void LogGood(ILogger logger, string slot);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The running slot cannot be marked good yet, trying again every {Seconds} s: {Reason}"
    )]
    private static partial void LogWaits(ILogger logger, double seconds, string reason);
}
