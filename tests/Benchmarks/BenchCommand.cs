using System.CommandLine;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using EdgeDm.Benchmarks.Footprint;
using EdgeDm.Benchmarks.Routing;
using EdgeDm.Benchmarks.Session;

namespace EdgeDm.Benchmarks;

/// <summary>The command line of <c>scripts/bench</c>: one sub-command per bench.</summary>
internal static class BenchCommand
{
    private const int Done = 0;
    private const int Missed = 1;
    private const int WrongArguments = 2;
    private const int CouldNotMeasure = 3;
    private const int Interrupted = 130;

    /// <summary>Fewer have no quartiles to judge by.</summary>
    private const int LeastRoundsToJudge = 5;

    /// <summary>All benches; a new one gets a folder and a row here.</summary>
    private static readonly Bench[] Benches = [new FootprintBench(), new SessionBench(), new DevHubBench()];

    private static readonly Option<int> Rounds = new("--rounds")
    {
        Description = "Samples of each side.",
        DefaultValueFactory = _ => LeastRoundsToJudge,
        Recursive = true,
    };

    private static readonly Option<bool> AsJson = new("--json")
    {
        Description = "The result as JSON, and nothing else on standard output.",
        Recursive = true,
    };

    private static readonly Option<bool> Check = new("--check")
    {
        Description = "Exit with 1 when a goal is missed, and name each.",
        Recursive = true,
    };

    /// <summary>Runs one command line and returns its exit code.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        var root = new RootCommand("Measures EdgeDm beside a peer. docs/bench.md says how to read the table.")
        {
            Rounds,
            AsJson,
            Check,
        };
        Rounds.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError("--rounds must be at least 1.");
            }
        });
        root.SetAction(_ => List());
        foreach (var bench in Benches)
        {
            var command = new Command(bench.Name, bench.Description);
            foreach (var option in bench.Options)
            {
                command.Add(option);
            }
            command.Validators.Add(RequireRoundsToJudge);
            command.SetAction((result, _) => RunAsync(bench, result));
            root.Add(command);
        }
        var parsed = root.Parse(args);
        if (parsed.Errors.Count == 0)
        {
            // Signals are ours: what was started must end first.
            return await parsed.InvokeAsync(new() { ProcessTerminationTimeout = null });
        }
        foreach (var error in parsed.Errors)
        {
            await Console.Error.WriteLineAsync($"bench: {error.Message}");
        }
        await Console.Error.WriteLineAsync("Try --help.");
        return WrongArguments;
    }

    private static void RequireRoundsToJudge(CommandResult command)
    {
        if (
            command.GetValue(Check)
            && command.GetResult(Rounds) is not null
            && command.GetValue(Rounds) < LeastRoundsToJudge
        )
        {
            command.AddError($"--check judges by at least {LeastRoundsToJudge} rounds.");
        }
    }

    private static int List()
    {
        var width = Benches.Max(bench => bench.Name.Length);
        foreach (var bench in Benches)
        {
            Console.WriteLine($"{bench.Name.PadRight(width)}  {bench.Description}");
        }
        return Done;
    }

    private static async Task<int> RunAsync(Bench bench, ParseResult arguments)
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
        var machine = Machine.Read();
        if (machine.IsBusy)
        {
            await Console.Error.WriteLineAsync(
                $"The machine is busy (load {machine.LoadBefore}): times and CPU will be too high."
            );
        }
        try
        {
            var began = DateTimeOffset.UtcNow;
            var run = new BenchRun(arguments.GetValue(Rounds), arguments, Console.Error);
            var rows = await bench.RunAsync(run, stop.Token);
            var report = new Report(bench.Name, bench.Peer, began, machine, run.Rounds, [.. rows.Select(ReportRow.Of)]);
            return Tell(report, arguments);
        }
        catch (BenchException error)
        {
            await Console.Error.WriteLineAsync($"bench: {error.Message}");
            return CouldNotMeasure;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return Interrupted;
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }

    private static int Tell(Report report, ParseResult arguments)
    {
        Console.Write(arguments.GetValue(AsJson) ? report.ToJson() + "\n" : ReportTable.Format(report));
        if (!arguments.GetValue(Check))
        {
            return Done;
        }
        foreach (var line in ReportTable.FormatMissed(report))
        {
            Console.Error.WriteLine(line);
        }
        return report.Missed.Count == 0 ? Done : Missed;
    }
}
