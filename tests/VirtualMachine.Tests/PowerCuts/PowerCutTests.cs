using System.Globalization;

namespace EdgeDm.VirtualMachine.Tests.PowerCuts;

/// <summary>Power cuts at random points of an update. What killing a machine does not model: docs/results/powercuts.md.</summary>
public sealed class PowerCutTests
{
    private const int Cuts = 5;
    private const int LongestReason = 300;

    /// <summary>Each in its own fifth of an update.</summary>
    public static TheoryData<int> Numbers => [.. Enumerable.Range(1, Cuts)];

    /// <summary>One for all cuts of a run.</summary>
    private static readonly int Seed = Number("EDGEDM_POWERCUT_SEED") ?? Random.Shared.Next(1_000_000);

    [Theory]
    [MemberData(nameof(Numbers))]
    public async Task Cut_InAnUpdate_EndsCommittedOrWithTheOldVersionAndIsToldOnce(int number)
    {
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {Seed}, for EDGEDM_POWERCUT_SEED");
        var any = new PowerCut(Seed, number);
        var cut = new PowerCut(Seed, number) { Part = (number - 1 + Math.Min(any.Part, 1)) / Cuts };

        var result = await cut.RunAsync(UpdateTime.Read());

        TestContext.Current.TestOutputHelper!.WriteLine($"{result}");
    }

    [Fact(Explicit = true)]
    public async Task Cuts_OfACampaign_AllEndWell()
    {
        var say = TestContext.Current.TestOutputHelper!;
        var page = new PowerCutPage(Environment.GetEnvironmentVariable("EDGEDM_CAMPAIGN_RESULTS")!);
        var failures = new List<string>();
        for (var number = page.CutsOf(Seed) + 1; number <= Number("EDGEDM_POWERCUT_COUNT"); number++)
        {
            string row;
            try
            {
                row = $"{await new PowerCut(Seed, number).RunAsync(UpdateTime.Read())}";
            }
            // Ctrl-C ends the dev hub as well: that is no failure of the cut, which is tried again by the next run.
            catch (Exception error) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                failures.Add($"cut {number} of seed {Seed}: {error}");
                var reason = error.Message.ReplaceLineEndings(" ").Replace('|', '/');
                row = $"| {Seed} | {number} | | | FAILED: {reason[..Math.Min(reason.Length, LongestReason)]} | |";
            }
            await page.AddAsync(row);
            say.WriteLine(row);
        }
        failures.ShouldBeEmpty();
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}
