using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Launching;

/// <summary>Runs one module as a process, and knows what it left running.</summary>
internal sealed partial class ProcessRunner(string moduleId, LaunchRecord record, ILogger logger) : IModuleRunner
{
    private static readonly TimeSpan LongestOutputWait = TimeSpan.FromSeconds(1);

    private readonly List<ProcessEntry> survivors = [];
    private SpawnedProcess? process;

    public Task<IModuleRun> StartAsync(ModuleLaunch launch)
    {
        var wanted = (ProcessLaunch)launch;
        process = SpawnedProcess.Start(wanted.Program, wanted.Arguments, wanted.Environment);
        Note();
        return Task.FromResult<IModuleRun>(process);
    }

    public async Task SettleAsync(IModuleRun ended, ModuleLaunch launch, Task output)
    {
        process = null;
        var session = new HashSet<int> { ended.ProcessId };
        if (launch.HostRebootExitCode is null)
        {
            await EndFamilyAsync(session);
            // Its last lines before its state; but a process that left its session may hold the output open for ever.
            await Task.WhenAny(output, Task.Delay(LongestOutputWait, CancellationToken.None));
        }
        else
        {
            survivors.RemoveAll(survivor => ProcessTable.Find(survivor.Id)?.StartTime != survivor.StartTime);
            survivors.AddRange(ProcessTable.Family(session, session));
        }
        Note();
    }

    public async Task EndLeftAsync()
    {
        await EndFamilyAsync(survivors.Select(survivor => survivor.Session).ToHashSet());
        survivors.Clear();
        Note();
    }

    private async Task EndFamilyAsync(HashSet<int> sessions)
    {
        if (sessions.Count == 0)
        {
            return;
        }
        foreach (var left in await ProcessTable.KillAllAsync(() => ProcessTable.Family(sessions, sessions)))
        {
            LogDoesNotDie(logger, left.Id, moduleId);
        }
    }

    private void Note() =>
        record.Set(
            moduleId,
            [
                .. survivors.Select(survivor => new LaunchedProcess(survivor.Id, survivor.StartTime)),
                .. process is { } now ? [new LaunchedProcess(now.Id, now.StartTime)] : Array.Empty<LaunchedProcess>(),
            ]
        );

    [LoggerMessage(Level = LogLevel.Error, Message = "Process {ProcessId} of {Module} cannot be killed")]
    private static partial void LogDoesNotDie(ILogger logger, int processId, string module);
}
