using EdgeDm.DevHub.Deployment;

namespace EdgeDm.DevHub.Launching;

/// <summary>In what modules run: processes of this machine, or containers.</summary>
internal interface IModuleRuntime
{
    /// <summary>What will be started for a module.</summary>
    /// <exception cref="FileNotFoundException">Its program is not here; says how to get it.</exception>
    /// <exception cref="ArgumentException">The deployment asks for something impossible.</exception>
    ModuleLaunch Plan(ModuleDeployment module);

    /// <summary>A runner for one module, for as long as the deployment has it.</summary>
    IModuleRunner RunnerFor(string moduleId);

    /// <summary>Ends what is left of all modules, whoever started it; after they were stopped.</summary>
    Task EndAllAsync();
}

/// <summary>Starts one module, again and again.</summary>
internal interface IModuleRunner
{
    /// <summary>Starts it. Only when it does not run.</summary>
    /// <exception cref="IOException">It cannot be started; says why.</exception>
    Task<IModuleRun> StartAsync(ModuleLaunch launch);

    /// <summary>After a run has ended: ends what it left behind, unless it plays the host, whose services outlive it.</summary>
    /// <param name="ended">The run.</param>
    /// <param name="launch">What it was started from.</param>
    /// <param name="output">Ends when all of its output was read.</param>
    Task SettleAsync(IModuleRun ended, ModuleLaunch launch, Task output);

    /// <summary>Ends and removes all that is left of it. Only when it does not run.</summary>
    Task EndLeftAsync();
}

/// <summary>One run of a module.</summary>
internal interface IModuleRun : IDisposable
{
    /// <summary>Its first process.</summary>
    int ProcessId { get; }

    /// <summary>Its container's name; null when it has none.</summary>
    string? Container { get; }

    /// <summary>Standard output and standard error, in the order of writing.</summary>
    Stream Output { get; }

    /// <summary>Completes when it has ended.</summary>
    Task<ProcessEnd> Ended { get; }

    /// <summary>Sends a signal. False when it has ended already.</summary>
    Task<bool> SignalAsync(Signal signal);
}

/// <summary>What is started for a module. Two are the same only if they are the same object.</summary>
/// <param name="module">The module.</param>
internal abstract class ModuleLaunch(ModuleDeployment module)
{
    /// <summary>The module.</summary>
    public string Id { get; } = module.Id;

    /// <summary>When it is started again.</summary>
    public RestartPolicy RestartPolicy { get; } = module.RestartPolicy;

    /// <summary>It plays the host: with this exit code the host reboots.</summary>
    public int? HostRebootExitCode { get; } = RebootExitCodeOf(module);

    private static int? RebootExitCodeOf(ModuleDeployment module)
    {
        if (!module.CreateOptions.Labels.TryGetValue(ModuleLauncher.HostRebootLabel, out var text))
        {
            return null;
        }
        return int.TryParse(text, out var code) && code is > 0 and < 256
            ? code
            : throw new ArgumentException(
                $"its label {ModuleLauncher.HostRebootLabel} is '{text}' and must be a number from 1 to 255."
            );
    }
}

/// <summary>How a run ended: one of the two is set.</summary>
/// <param name="ExitCode">It left by itself.</param>
/// <param name="Signal">A signal ended it.</param>
internal sealed record ProcessEnd(int? ExitCode, int? Signal)
{
    /// <summary>As shells and Docker tell it: 128 + signal.</summary>
    public int ShellCode => ExitCode ?? (128 + Signal!.Value);

    public override string ToString() => ExitCode is { } code ? $"exit code {code}" : $"signal {Signal}";
}

/// <summary>Signals that are sent.</summary>
internal enum Signal
{
    Kill = 9,
    Terminate = 15,
}
