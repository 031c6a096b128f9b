using System.CommandLine;
using System.CommandLine.Help;
using System.Runtime.InteropServices;

namespace EdgeDm.Cli;

/// <summary>
/// <c>edgedm</c>, the whole tree of commands. Each command is a folder with two files: <c>XCommand</c> has its words (options,
/// help), <c>XHandler</c> does it.
/// </summary>
internal static class EdgeDmCommand
{
    private const string Description = """
        Manages EdgeDm gateways through IoT Hub or the dev hub: signs and deploys updates, follows jobs, shows and changes
        twins, calls direct methods.

        Commands that talk to a hub need a service connection string (policy iothubowner or service): in the file
        that --connection-string-file or EDGEDM_CONNECTION_STRING_FILE names, or in EDGEDM_CONNECTION_STRING. It is never
        taken from the command line, where every user of the machine could read it.

        Exit codes: 0 done; 1 failed or refused; 2 wrong usage; 3 hub or gateway not reachable; 4 timed out;
        5 the watched job failed; 6 the watched job was cancelled; 130 interrupted.
        """;

    /// <summary>Runs one command line and returns its exit code.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var result = Create().Parse(args);
        if (result.Errors.Count == 0)
        {
            return await InvokeAsync(result);
        }
        foreach (var error in result.Errors)
        {
            await Console.Error.WriteLineAsync($"edgedm: {error.Message}");
        }
        await Console.Error.WriteLineAsync($"Try '{PathOf(result.CommandResult.Command)} --help'.");
        return ExitCodes.Usage;
    }

    /// <summary>The first Ctrl-C or SIGTERM lets the command end by itself, a second one ends the process.</summary>
    private static async Task<int> InvokeAsync(ParseResult result)
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        // System.CommandLine's own handling would end the command after 2 s.
        return await result.InvokeAsync(new() { ProcessTerminationTimeout = null }, stop.Token);

        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        }
    }

    internal static Command Create()
    {
        var json = new Option<bool>(CommandLines.JsonOption)
        {
            Description = "Write JSON for programs to standard output, errors as JSON to standard error.",
            Recursive = true,
        };
        return new Command("edgedm", Description)
        {
            Group(
                "update",
                "Make, check and deploy signed updates.",
                UpdateKeygenCommand.Create(),
                UpdateCreateCommand.Create(),
                UpdateVerifyCommand.Create(),
                UpdateDeployCommand.Create()
            ),
            Group(
                "roots",
                "Make, sign and show lists of the root keys that gateways trust.",
                RootsCreateCommand.Create(),
                RootsSignCommand.Create(),
                RootsShowCommand.Create(),
                RootsDeployCommand.Create()
            ),
            ServeCommand.Create(),
            Group(
                "job",
                "List, show, follow, cancel and create the gateway's jobs.",
                JobListCommand.Create(),
                JobShowCommand.Create(),
                JobWatchCommand.Create(),
                JobCancelCommand.Create(),
                JobCreateCommand.Create()
            ),
            Group("twin", "Show and change twins.", TwinShowCommand.Create(), TwinSetCommand.Create()),
            MethodCommand.Create(),
            SendCommand.Create(),
            TailCommand.Create(),
            Group("route", "About routes.", RouteTestCommand.Create()),
            Group("c2d", "Messages from the cloud to a device.", C2dSendCommand.Create()),
            Group(
                "hub",
                "About the hub, and what goes wrong there on purpose.",
                HubStatusCommand.Create(),
                HubPageCommand.Create(),
                HubCutCommand.Create(),
                HubSlowCommand.Create(),
                HubDropCommand.Create(),
                HubFaultsCommand.Create(),
                HubRestoreCommand.Create()
            ),
            new HelpOption { Recursive = true },
            new VersionOption(),
            json,
        };
    }

    private static Command Group(string name, string description, params Command[] commands)
    {
        var group = new Command(name, description);
        foreach (var command in commands)
        {
            group.Subcommands.Add(command);
        }
        return group;
    }

    private static string PathOf(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent
            ? $"{PathOf(parent)} {command.Name}"
            : command.Name;
}
