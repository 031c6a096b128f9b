using System.CommandLine;

namespace EdgeDm.Benchmarks.Session;

/// <summary>
/// What IoTHubSession costs, beside the official Node client and other MQTT clients: each in a process of its own on one core, the server on
/// another.
/// </summary>
internal sealed class SessionBench : Bench
{
    private static readonly SessionMeasure[] Measures =
    [
        new TelemetryMeasure(),
        new MethodMeasure(),
        new TwinMeasure(),
        new InputMeasure(),
        new MemoryMeasure(),
        new AllocationMeasure(),
        new HalfOpenMeasure(),
        new DeliveryMeasure(),
        new ColdStartMeasure(),
    ];

    private readonly Option<string?> only = new("--only")
    {
        Description =
            $"Some rows alone, for example B1,B4. There are {string.Join(", ", Measures.Select(m => $"{m.Id} ({m.Title})"))}.",
    };

    private readonly Option<bool> quick = new("--quick")
    {
        Description = "Fewer messages, and of what differs by size or window only the shape that has a goal.",
    };

    public SessionBench()
    {
        only.Validators.Add(result =>
        {
            var unknown = Ids(result.GetValueOrDefault<string?>())
                .Except(Measures.Select(m => m.Id), StringComparer.Ordinal)
                .ToList();
            if (unknown.Count > 0)
            {
                result.AddError($"--only: there is no {string.Join(", ", unknown)}.");
            }
        });
        Options = [only, quick];
    }

    public override string Name => "session";

    public override string Description => "IoTHubSession beside the official Node client, mqtt.js and mosquitto_pub.";

    public override string Peer => "as each row says";

    public override IReadOnlyList<Option> Options { get; }

    public override async Task<IReadOnlyList<Row>> RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var wanted = Ids(run.Arguments.GetValue(only)).ToHashSet(StringComparer.Ordinal);
        using var work = WorkFolder.Make();
        await using var place = await BenchPlace.OpenAsync(run, run.Arguments.GetValue(quick), work, cancellationToken);
        var rows = new List<Row>();
        foreach (var measure in Measures.Where(m => wanted.Count == 0 || wanted.Contains(m.Id)))
        {
            await run.Progress.WriteLineAsync($"{measure.Id}: {measure.Title}");
            try
            {
                rows.AddRange(await measure.RunAsync(place, cancellationToken));
            }
            catch (Exception error)
                when (error is ShouldAssertException or HttpRequestException or InvalidOperationException or IOException
                )
            {
                throw new BenchException($"{measure.Id}: {error.Message}"); // Of the hub, or of its service.
            }
        }
        return rows;
    }

    private static string[] Ids(string? list) =>
        (list ?? "")
            .ToUpperInvariant()
            .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>One of the rows B1 to B9.</summary>
internal abstract class SessionMeasure
{
    /// <summary>As on the command line.</summary>
    public abstract string Id { get; }

    /// <summary>A few words.</summary>
    public abstract string Title { get; }

    /// <summary>Measures, and ends the clients that it has started.</summary>
    public abstract Task<IReadOnlyList<Row>> RunAsync(BenchPlace place, CancellationToken cancellationToken);
}
