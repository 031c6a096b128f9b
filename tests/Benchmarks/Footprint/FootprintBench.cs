using System.CommandLine;

namespace EdgeDm.Benchmarks.Footprint;

/// <summary>
/// What the four modules cost a gateway that has nothing to do, beside four services that do nothing at all. Both sides are published
/// as in deployment, trimmed and with the runtime they need, and run from private copies, whose pages no other process shares; or ours as
/// containers, whose images share the layer that holds the programs.
/// </summary>
internal sealed class FootprintBench : Bench
{
    private const int LargestIdleSeconds = 24 * 60 * 60;
    private const double Megabyte = 1e6;

    private static readonly Goal ProportionalInSum = new(90);
    private static readonly Goal Processor = new(0.2);
    private static readonly Goal Written = new(5);
    private static readonly Goal Start = new(1);

    private readonly Option<int> idleSeconds = new("--idle-seconds")
    {
        Description = "How long all stay idle to be measured.",
        DefaultValueFactory = _ => 60,
    };

    private readonly Option<bool> containers = new("--containers")
    {
        Description = "Ours as containers of the images that scripts/images made, over the local Docker Engine.",
    };

    public FootprintBench()
    {
        idleSeconds.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > LargestIdleSeconds)
            {
                result.AddError($"--idle-seconds must be from 1 to {LargestIdleSeconds}.");
            }
        });
        Options = [idleSeconds, containers];
    }

    public override string Name => "footprint";

    public override string Description =>
        "Memory, CPU and writes of the four idle modules, and their start, beside four bare generic hosts.";

    public override string Peer => "four bare generic hosts";

    public override IReadOnlyList<Option> Options { get; }

    public override async Task<IReadOnlyList<Row>> RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var idle = TimeSpan.FromSeconds(run.Arguments.GetValue(idleSeconds));
        using var work = WorkFolder.Make();
        var modules = run.Arguments.GetValue(containers)
            ? null
            : PublishedCopy.Make("modules/Gateway", work.Create("modules"));
        var bareHost = PublishedCopy.Make("tests/Benchmarks.BareHost", work.Create("bare-host"));
        var ours = new List<IReadOnlyList<Measurement>>();
        var peers = new List<IReadOnlyList<Measurement>>();
        for (var round = 1; round <= run.Rounds; round++)
        {
            await run.Progress.WriteLineAsync($"round {round} of {run.Rounds}: modules");
            var data = work.Create($"data-{round}");
            try
            {
                var gateway = await Gateway.StartAsync(data, modules, cancellationToken);
                ours.Add(await MeasureAsync(gateway, modules, idle, cancellationToken));
            }
            finally
            {
                await GatewayContainers.RemoveVolumesAsync(data);
            }
            await run.Progress.WriteLineAsync($"round {round} of {run.Rounds}: bare hosts");
            var hosts = await BareHosts.StartAsync(Gateway.Modules.Count, bareHost, cancellationToken);
            peers.Add(await MeasureAsync(hosts, bareHost, idle, cancellationToken));
        }
        return Rows(ours, peers);
    }

    private static async Task<IReadOnlyList<Measurement>> MeasureAsync(
        ProcessFamily family,
        PublishedCopy? programs,
        TimeSpan idle,
        CancellationToken cancellationToken
    )
    {
        await using (family)
        {
            foreach (var member in family.Members)
            {
                programs?.RequireUsedBy(member.ProcessId);
            }
            return await Measurement.TakeAsync(family, idle, cancellationToken);
        }
    }

    private static List<Row> Rows(List<IReadOnlyList<Measurement>> ours, List<IReadOnlyList<Measurement>> peers)
    {
        var rows = new List<Row>();
        Add("proportional set", "MB", m => m.ProportionalBytes / Megabyte, eachGoal: null, ProportionalInSum);
        Add("resident set", "MB", m => m.ResidentBytes / Megabyte, eachGoal: null, sumGoal: null);
        Add("idle CPU", "% of a core", m => m.ProcessorShare * 100, Processor, sumGoal: null);
        Add("written per idle day", "MB", m => m.WrittenBytesPerDay / Megabyte, Written, sumGoal: null);
        rows.AddRange(Each("start to connected", "s", m => m.StartToReady.TotalSeconds, Start));
        return rows;

        void Add(string what, string unit, Func<Measurement, double> value, Goal? eachGoal, Goal? sumGoal)
        {
            rows.AddRange(Each(what, unit, value, eachGoal));
            rows.Add(new($"{what}, all four", unit, Sums(ours, value), Sums(peers, value), sumGoal));
        }

        // The bare hosts are alike: one of them is their mean in that round.
        IEnumerable<Row> Each(string what, string unit, Func<Measurement, double> value, Goal? goal) =>
            Gateway.Modules.Select(module => new Row(
                $"{what}, {module}",
                unit,
                [.. ours.Select(round => value(round.Single(m => m.Name == module)))],
                [.. peers.Select(round => round.Average(value))],
                goal
            ));

        static double[] Sums(List<IReadOnlyList<Measurement>> rounds, Func<Measurement, double> value) =>
            [.. rounds.Select(round => round.Sum(value))];
    }
}
