using EdgeDm.Contracts;
using EdgeDm.HostAccess.Tests.Support;
using EdgeDm.HostAccess.Updates;
using EdgeDm.Testing;

namespace EdgeDm.HostAccess.Tests.Updates;

/// <summary>How far a step is, told while it runs.</summary>
public sealed class ProgressTests
{
    [Fact]
    public async Task Step_WhileItRuns_IsToldByPercentAndNotWritten()
    {
        await using var gateway = new TestGateway();
        await gateway.StartAsync();
        var update = gateway.Store(
            new TestUpdate().Firmware("2.0.0", reboot: false, installSeconds: 4).Firmware("2.0.0")
        );
        var told = new List<UpdateStatus>();
        var records = new HashSet<string>(StringComparer.Ordinal);

        await gateway.SubmitAsync(update.Submission());
        await gateway.WaitForAsync(
            update.CommandId,
            status =>
            {
                if (status.Steps[0].Percent is > 25 and < 90)
                {
                    told.Add(status);
                    records.Add(File.ReadAllText(Path.Combine(gateway.Data, "updates", update.CommandId + ".json")));
                }
                return status.State == HostUpdateState.Verifying;
            }
        );

        told.Count.ShouldBeInRange(2, 5); // Once a second.
        told.Select(status => status.Percent).ShouldBeInOrder(SortDirection.Ascending);
        told.ShouldAllBe(status => status.Percent == 40 + status.Steps[0].Percent!.Value / 2 / 2);
        told.ShouldAllBe(status => status.Steps[1].State == "waiting" && status.Steps[1].Percent == null);
        told.Select(status => status.Revision).Distinct().Count().ShouldBe(told.Count);
        records.Count.ShouldBe(1);
        (await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying))
            .Steps.Select(step => step.Percent)
            .ShouldBe([100, 100]);
    }

    [Fact]
    public async Task Restart_InTheMiddleOfAStep_AnswersAReaderOfProgressThatWasNotWritten()
    {
        await using var gateway = new TestGateway();
        await gateway.StartProcessAsync();
        var update = gateway.Store(new TestUpdate().Firmware("2.0.0", reboot: false, installSeconds: 3));
        await gateway.SubmitAsync(update.Submission());
        var before = await gateway.WaitForAsync(update.CommandId, status => status.Steps[0].Percent > 40);

        await gateway.StopAsync(); // SIGKILL
        await gateway.StartAsync();
        // The reader goes on with the revision that it knows.
        using var answer = await gateway.Verbs.GetAsync(HostApi.Update(update.CommandId, before.Revision, 30));
        var after = await TestGateway.ReadAsync(answer, ContractsJson.Default.UpdateStatus);

        after.Revision.ShouldNotBe(before.Revision);
        (await gateway.WaitAsync(update.CommandId, HostUpdateState.Verifying)).Percent.ShouldBe(90);
    }

    [Fact]
    public void Report_ManyNumbersWithinASecond_TellsTheFirstAtOnceAndTheNewestWhenItIsOver()
    {
        var time = new FakeTimeProvider();
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
        using var progress = new ThrottledProgress(from, told.Add, new FakeTimeProvider());
        progress.Report(value);
        told.ShouldBeEmpty();
    }

    [Fact]
    public void Report_BehindTheEnd_IsNotTold()
    {
        var time = new FakeTimeProvider();
        var told = new List<int>();
        var progress = new ThrottledProgress(0, told.Add, time);
        progress.Report(1);
        progress.Report(2);

        progress.Dispose();
        progress.Report(3);
        time.Advance(TimeSpan.FromMinutes(1));

        told.ShouldBe([1]);
    }
}
