using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace EdgeDm.EndToEnd.Tests.Kills;

/// <summary>Many cases, two at a time, and a page of results when <c>EDGEDM_CAMPAIGN_RESULTS</c> names a file.</summary>
internal sealed class KillCampaign(int seed, Action<string> say)
{
    private const int AtATime = 2;
    private const int LongestReason = 20_000;

    private readonly List<KillCase> cases = [];
    private readonly ConcurrentDictionary<KillCase, string> results = new();
    private int repeats;

    /// <summary>Cases that did not end well, with the reason.</summary>
    public IReadOnlyList<string> Failures =>
        [.. results.Where(r => r.Value is not (Done or Undone or NotPassed)).Select(r => $"{r.Key}: {r.Value}")];

    private const string Done = "done once, told once";
    private const string Undone = "ended as failed, once, and undone";
    private const string NotPassed = "not passed so often this time";

    public void Add(IEnumerable<KillCase> more) => cases.AddRange(more);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(
            cases,
            options,
            async (kill, _) =>
            {
                var result = await RunAsync(kill);
                results[kill] = result;
                say($"{results.Count}/{cases.Count} {kill}: {result}");
            }
        );
        if (Environment.GetEnvironmentVariable("EDGEDM_CAMPAIGN_RESULTS") is { Length: > 0 } file)
        {
            await File.WriteAllTextAsync(file, Page(watch.Elapsed), cancellationToken);
        }
    }

    private async Task<string> RunAsync(KillCase kill)
    {
        try
        {
            if (await KilledLife.RunAsync(kill) is not { } life)
            {
                return NotPassed;
            }
            Interlocked.Add(ref repeats, life.Repeats);
            return life.Succeeded ? Done : Undone;
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            return error.Message[..Math.Min(error.Message.Length, LongestReason)];
        }
    }

    private string Page(TimeSpan took)
    {
        var page = new StringBuilder();
        var kills = results.Count(r => r.Value != NotPassed);
        page.AppendLine("# Results of the kill campaign")
            .AppendLine()
            .AppendLine("What is killed, when, and what must hold then: [testing.md](../testing.md#kills).")
            .AppendLine()
            .AppendLine("`./scripts/test --campaign`")
            .AppendLine()
            .AppendLine(
                CultureInfo.InvariantCulture,
                $"{DateTimeOffset.UtcNow:yyyy-MM-dd}, seed {seed}, {took.TotalMinutes:0} minutes: {kills} kills, **{Failures.Count} failures**. {results.Count - kills} more cases whose failpoint was not passed so often this time."
            )
            .AppendLine()
            .AppendLine(
                CultureInfo.InvariantCulture,
                $"- {Count(Done)}: the install script left one line, a watcher of the twin saw one terminal change, the update succeeded."
            )
            .AppendLine(
                CultureInfo.InvariantCulture,
                $"- {Count(Undone)}: the runner was killed that plays the host's service manager; one terminal change, failed and undone, at most one line."
            )
            .AppendLine(
                CultureInfo.InvariantCulture,
                $"- {repeats} events came more than once, each with the `$.mid` of the first."
            )
            .AppendLine()
            .AppendLine("| killed | where | kills | succeeded, once | failed, once |")
            .AppendLine("|---|---|---|---|---|");
        var rows = results
            .Where(r => r.Value != NotPassed)
            .GroupBy(r => (r.Key.Victims, Where: Where(r.Key)))
            .OrderBy(g => g.Key.Victims, StringComparer.Ordinal)
            .ThenBy(g => g.Key.Where, StringComparer.Ordinal);
        foreach (var row in rows)
        {
            page.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {row.Key.Victims} | {row.Key.Where} | {row.Count()} | {row.Count(r => r.Value == Done)} | {row.Count(r => r.Value == Undone)} |"
            );
        }
        foreach (var failure in Failures)
        {
            page.AppendLine().AppendLine("```").AppendLine(failure).AppendLine("```");
        }
        return page.ToString();
    }

    private int Count(string result) => results.Count(r => r.Value == result);

    private static string Where(KillCase kill) =>
        kill.Failpoint is { } point ? $"`{point.Point}` of {point.Module}" : "at moments chosen at random";
}
