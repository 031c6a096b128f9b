using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;
using EdgeDm.HostAccess.Updates;
using EdgeDm.Testing;

namespace EdgeDm.HostAccess.Tests.Updates;

/// <summary>How far a step is, told while it runs.</summary>
public sealed class ProgressTests
{
    // A timer that is due in 0.35 s is that of the next part: the seconds between two tellings are at no time so far from their end.
    private const int InstallSeconds = 7;
    private const int Parts = 20;
    private static readonly TimeSpan Part = TimeSpan.FromSeconds(InstallSeconds) / Parts;

    private readonly FakeTimeProvider time = new();

    [Fact]
    public async Task Step_WhileItRuns_IsToldByPercentAndNotWritten()
    {
        await using var gateway = await new TestGateway { Time = time }.StartAsync();
        var update = gateway.Store(
            new TestUpdate().Firmware("2.0.0", reboot: false, installSeconds: InstallSeconds).Firmware("2.0.0")
        );
        var told = new List<UpdateStatus>();
        var records = new HashSet<string>(StringComparer.Ordinal);

        await gateway.SubmitAsync(update.Submission());
        for (var part = 1; part < Parts; part++)
        {
            await WriteAsync(parts: 1);
            await time.WaitForTimerAsync(Part); // It has told of that part, and is at the next.
            told.Add(await gateway.GetAsync(HostApi.Update(update.CommandId), ContractsJson.Default.UpdateStatus));
            records.Add(File.ReadAllText(Path.Combine(gateway.Data, "updates", update.CommandId + ".json")));
        }

        // At the first part, and the newest once a second from then on.
        told = [.. told.DistinctBy(status => status.Revision)];
        told.Select(status => status.Steps[0].Percent).ShouldBe([28, 34, 44, 54, 64, 73, 83]);
        told.ShouldAllBe(status => status.Percent == 40 + status.Steps[0].Percent!.Value / 2 / 2);
        told.ShouldAllBe(status => status.Steps[1].State == "waiting" && status.Steps[1].Percent == null);
        records.Count.ShouldBe(1);
        await WriteAsync(parts: 1);
        (await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying))
            .Steps.Select(step => step.Percent)
            .ShouldBe([100, 100]);
    }

    [Fact]
    public async Task Restart_InTheMiddleOfAStep_AnswersAReaderOfProgressThatWasNotWritten()
    {
        await using var gateway = await new TestGateway { Time = time }.StartAsync();
        var update = gateway.Store(new TestUpdate().Firmware("2.0.0", reboot: false, installSeconds: InstallSeconds));
        await gateway.SubmitAsync(update.Submission());
        await WriteAsync(Parts / 2);
        await time.WaitForTimerAsync(Part);
        var before = await gateway.GetAsync(HostApi.Update(update.CommandId), ContractsJson.Default.UpdateStatus);
        before.Steps[0].Percent!.Value.ShouldBeGreaterThan(40);

        await gateway.StopAsync();
        await gateway.StartAsync();
        // The reader goes on with the revision that it knows.
        using var answer = await gateway.Verbs.GetAsync(HostApi.Update(update.CommandId, before.Revision, 30));
        var after = await TestGateway.ReadAsync(answer, ContractsJson.Default.UpdateStatus);

        after.Revision.ShouldNotBe(before.Revision);
        await WriteAsync(Parts);
        (await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying)).Percent.ShouldBe(90);
    }

    [Fact]
    public void Report_ManyNumbersWithinASecond_TellsTheFirstAtOnceAndTheNewestWhenItIsOver()
    {
        var told = new List<int>();
        using var progress = new ThrottledProgress(0, told.Add, time);

        progress.Report(3);
        progress.Report(4);
        progress.Report(9);
        time.Advance(ThrottledProgress.Interval - TimeSpan.FromTicks(1));
        told.ShouldBe([3]);
        time.Advance(TimeSpan.FromTicks(1));
        told.ShouldBe([3, 9]);
        time.Advance(TimeSpan.FromMinutes(1));
        told.ShouldBe([3, 9]);
    }

    [Theory]
    [InlineData(20, 20)]
    [InlineData(20, 19)]
    [InlineData(20, -5)]
    [InlineData(100, 101)]
    public void Report_NumberThatDoesNotGrow_IsNotTold(int from, int value)
    {
        var told = new List<int>();
        using var progress = new ThrottledProgress(from, told.Add, time);
        progress.Report(value);
        told.ShouldBeEmpty();
    }

    [Fact]
    public void Report_BehindTheEnd_IsNotTold()
    {
        var told = new List<int>();
        var progress = new ThrottledProgress(0, told.Add, time);
        progress.Report(1);
        progress.Report(2);

        progress.Dispose();
        progress.Report(3);
        time.Advance(TimeSpan.FromMinutes(1));

        told.ShouldBe([1]);
    }

    /// <summary>Lets the step write.</summary>
    private async Task WriteAsync(int parts)
    {
        for (; parts > 0; parts--)
        {
            await time.WaitForTimerAsync(Part);
            time.Advance(Part);
        }
    }
}
