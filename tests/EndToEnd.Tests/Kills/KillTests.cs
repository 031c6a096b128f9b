using System.Globalization;

namespace EdgeDm.EndToEnd.Tests.Kills;

/// <summary>Whatever is killed, whenever: everything is done once and told once.</summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int CasesOfARun = 10;
    private const int MomentsOfARun = 5;
    private const int MomentsOfTheCampaign = 10;

    /// <summary>Of a point that is passed more often, so many passages are chosen.</summary>
    private const int MostPassages = 3;

    /// <summary>Ten of all, by the seed that <c>scripts/test</c> prints.</summary>
    public static TheoryData<string, string> Chosen()
    {
        var random = new Random(KillSeed.Given);
        var all = KillCase
            .AtFailpoints(GatewayFailpoints.Passed.Select(p => (p.Module, p.Point, 1)))
            .Concat(KillCase.AtMoments(MomentsOfARun, random))
            .ToArray();
        random.Shuffle(all);
        return [.. all.Take(CasesOfARun).Select(c => (c.Victims, c.Moment))];
    }

    [Theory]
    [MemberData(nameof(Chosen))]
    public async Task Kill_Chosen_EverythingIsDoneOnceAndToldOnce(string victims, string moment)
    {
        var life = await KilledLife.RunAsync(new(victims, moment));

        life.ShouldNotBeNull("the failpoint was never passed");
    }

    /// <summary>One case again and again, to find what fails once in many: two at a time, until one fails.</summary>
    [Fact(Explicit = true)]
    public async Task Kill_TheGivenCase_EverythingIsDoneOnceAndToldOnce()
    {
        var given = Environment.GetEnvironmentVariable("EDGEDM_KILL_CASE")?.Split(" at ");
        given.ShouldNotBeNull("EDGEDM_KILL_CASE names none: \"everything at HostAccess/host.unit.program.before#1\"");
        var times = int.Parse(
            Environment.GetEnvironmentVariable("EDGEDM_KILL_TIMES") ?? "1",
            CultureInfo.InvariantCulture
        );

        await Parallel.ForEachAsync(
            Enumerable.Range(1, times),
            new ParallelOptions
            {
                MaxDegreeOfParallelism = 2,
                CancellationToken = TestContext.Current.CancellationToken,
            },
            async (time, _) =>
            {
                var life = await KilledLife.RunAsync(new(given[0], given[1]));
                output.WriteLine($"{time}: {(life is null ? "not passed" : "done once, told once")}");
            }
        );
    }

    [Fact]
    public async Task Failpoints_InTheCode_AreAllPassed()
    {
        await using var gateway = await KillableGateway.StartAsync();
        var life = new GatewayLife(gateway);

        await life.RunAsync();
        await life.CheckAsync();

        GatewayFailpoints
            .All.Where(p => gateway.Passages(p.Module, p.Point) > 0)
            .ShouldBe(GatewayFailpoints.Passed, ignoreOrder: true);
    }

    /// <summary>All of them, at several passages each: <c>./scripts/test --campaign</c>.</summary>
    [Fact(Explicit = true)]
    public async Task Kill_All_EverythingIsDoneOnceAndToldOnce()
    {
        var random = new Random(KillSeed.Given);
        var campaign = new KillCampaign(KillSeed.Given, output.WriteLine);
        foreach (var (module, point, count) in await PassagesAsync())
        {
            var passages = Enumerable.Range(1, count).ToArray();
            random.Shuffle(passages);
            campaign.Add(
                KillCase.AtFailpoints(passages.Take(MostPassages).Order().Select(passage => (module, point, passage)))
            );
        }
        campaign.Add(KillCase.AtMoments(MomentsOfTheCampaign, random));

        await campaign.RunAsync(TestContext.Current.CancellationToken);

        campaign.Failures.ShouldBeEmpty();
    }

    private static async Task<IReadOnlyList<(string Module, string Point, int Count)>> PassagesAsync()
    {
        await using var gateway = await KillableGateway.StartAsync();
        await new GatewayLife(gateway).RunAsync();
        return [.. GatewayFailpoints.Passed.Select(p => (p.Module, p.Point, (int)gateway.Passages(p.Module, p.Point)))];
    }
}
