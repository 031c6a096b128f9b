using EdgeDm.DevHub.Deployment;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Launching;

/// <summary>Runs modules as processes of this machine. Linux only.</summary>
internal sealed partial class ProcessRuntime : IModuleRuntime
{
    private readonly ModulePrograms programs;
    private readonly ModuleEnvironment environment;
    private readonly LaunchRecord record;
    private readonly bool ownsAllChildren;
    private readonly ILogger logger;

    /// <param name="programs">Programs of the modules.</param>
    /// <param name="environment">Their environment.</param>
    /// <param name="dataFolder">The dev hub's, for the record of what runs.</param>
    /// <param name="ownsAllChildren">
    /// This process's every child is a module or a module's orphan (<see cref="Orphans.Adopt"/> was called), so all of them
    /// end with the launcher.
    /// </param>
    /// <param name="logger">Told what happens to them.</param>
    public ProcessRuntime(
        ModulePrograms programs,
        ModuleEnvironment environment,
        string dataFolder,
        bool ownsAllChildren,
        ILogger logger
    )
    {
        this.programs = programs;
        this.environment = environment;
        this.ownsAllChildren = ownsAllChildren;
        this.logger = logger;
        record = new(dataFolder, logger);
    }

    /// <summary>Ends what an earlier, killed dev hub with this data folder left running. Before the hub serves anybody.</summary>
    public static Task EndLeftoversAsync(string dataFolder, ILogger logger) =>
        new LaunchRecord(dataFolder, logger).EndLeftoversAsync();

    public ModuleLaunch Plan(ModuleDeployment module)
    {
        var variables = HostEnvironment.PassedThrough();
        foreach (var (name, value) in environment.Of(module))
        {
            variables[name] = value;
        }
        return new ProcessLaunch(module, programs.Find(module), variables);
    }

    public IModuleRunner RunnerFor(string moduleId) => new ProcessRunner(moduleId, record, logger);

    public async Task EndAllAsync()
    {
        if (!ownsAllChildren)
        {
            return;
        }
        var self = new HashSet<int> { Environment.ProcessId };
        var left = await ProcessTable.KillAllAsync(() =>
            [.. ProcessTable.Family(new HashSet<int>(), self).Where(process => !self.Contains(process.Id))]
        );
        foreach (var process in left)
        {
            LogDoesNotDie(logger, process.Id);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Process {ProcessId} cannot be killed")]
    private static partial void LogDoesNotDie(ILogger logger, int processId);
}

/// <summary>A module as a process.</summary>
/// <param name="module">The module.</param>
/// <param name="program">Path of its program.</param>
/// <param name="environment">All of its environment.</param>
internal sealed class ProcessLaunch(
    ModuleDeployment module,
    string program,
    IReadOnlyDictionary<string, string> environment
) : ModuleLaunch(module)
{
    public string Program { get; } = program;

    public IReadOnlyList<string> Arguments { get; } = module.CreateOptions.Cmd;

    public IReadOnlyDictionary<string, string> Environment { get; } = environment;
}
