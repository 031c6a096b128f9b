using System.Text.Json.Nodes;

namespace EdgeDm.Benchmarks.Tests;

public sealed class ReportTests
{
    [Theory]
    [InlineData(new double[] { 11, 12, 13, 14, 15 }, true)]
    [InlineData(new double[] { 8, 9, 13, 14, 15 }, false)] // The lower quartile, 9, meets it.
    [InlineData(new double[] { 10, 10, 10, 99, 99 }, false)]
    [InlineData(new double[] { 1, 11, 11, 11, 11 }, true)] // One lucky sample does not help.
    public void Row_WithGoalOfTen_MissesItOnlyWithTheWholeInterquartileRange(double[] ours, bool misses)
    {
        new Row("memory", "MB", ours, [], new Goal(10)).Misses.ShouldBe(misses);
    }

    [Theory]
    [InlineData(new double[] { 1, 2, 3 }, true)] // Even the upper quartile, 2.5, is below 3.
    [InlineData(new double[] { 1, 2, 4 }, false)]
    public void Row_WithGoalOfTheRatioAtLeast_IsJudgedByThePeersMedian(double[] ours, bool misses)
    {
        var goal = new Goal(1.5, IsOfRatio: true, IsLeast: true);

        new Row("rate", "1/s", ours, [2, 2, 2], goal).Misses.ShouldBe(misses);
    }

    [Fact]
    public void Row_WithGoalOfTheRatioAndNoPeer_CannotBeJudged()
    {
        var row = new Row("CPU", "us", [5], [], new Goal(0.2, IsOfRatio: true));

        row.Misses.ShouldBeFalse();
        ReportTable.Format(Sample() with { Rows = [ReportRow.Of(row)] }).ShouldContain("no peer: ratio <= 0.200");
    }

    [Fact]
    public void Row_WithoutGoal_MissesNothing()
    {
        new Row("memory", "MB", [1e9], []).Misses.ShouldBeFalse();
    }

    [Fact]
    public void Row_WithPeer_TellsRatioOfMedians()
    {
        new Row("memory", "MB", [10, 30, 20], [5, 10, 6]).Ratio.ShouldNotBeNull().ShouldBe(20 / 6.0);
        new Row("written", "MB", [10], [0]).Ratio.ShouldBeNull();
    }

    [Fact]
    public void Report_WithMissedGoal_NamesIt()
    {
        var report = Sample();

        report.Missed.ShouldBe(["memory, all four"]);
        ReportTable.FormatMissed(report).ShouldBe(["missed: memory, all four: 120 MB, goal at most 90.0 MB"]);
        ReportTable.Format(report).ShouldContain("missed <= 90.0");
        ReportTable.Format(report).ShouldContain("(110 .. 130)");
        ReportTable.Format(report).ShouldContain("met <= 1.00");
    }

    [Fact]
    public void Report_ToJson_HoldsSamplesAndMissedGoals()
    {
        var json = JsonNode.Parse(Sample().ToJson()).ShouldNotBeNull();

        ((string?)json["missed"]?[0]).ShouldBe("memory, all four");
        ((double?)json["rows"]?[0]?["ours"]?["samples"]?[1]).ShouldBe(120);
        ((bool?)json["rows"]?[1]?["misses"]).ShouldBe(false);
    }

    private static Report Sample() =>
        new(
            "sample",
            "nothing",
            DateTimeOffset.UnixEpoch,
            new(2, 8, "Linux", "X64", ".NET", 0.1),
            3,
            [
                ReportRow.Of(new("memory, all four", "MB", [110, 120, 130], [60, 60, 60], new(90))),
                ReportRow.Of(new("start, one", "s", [0.5, 0.6, 0.7], [], new(1))),
            ]
        );
}
