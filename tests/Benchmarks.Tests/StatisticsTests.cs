namespace EdgeDm.Benchmarks.Tests;

public sealed class StatisticsTests
{
    [Fact]
    public void Of_OddNumberOfSamples_TakesTheSamplesThemselves()
    {
        Statistics.Of([5, 1, 3, 2, 4]).ShouldBe(new(1, 2, 3, 4, 5));
    }

    [Fact]
    public void Of_EvenNumberOfSamples_Interpolates()
    {
        Statistics.Of([4, 1, 3, 2]).ShouldBe(new(1, 1.75, 2.5, 3.25, 4));
    }

    [Fact]
    public void Of_OneSample_HasNoSpread()
    {
        Statistics.Of([7]).ShouldBe(new(7, 7, 7, 7, 7));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.99, 99)]
    [InlineData(0.5, 50)]
    [InlineData(1, 100)]
    public void Quantile_OfAHundredAndOneSamples_IsTheSampleAtThatPlace(double share, double expected) =>
        Statistics.Quantile(Enumerable.Range(0, 101).Select(i => (double)i).Reverse(), share).ShouldBe(expected);

    [Fact]
    public void Of_NoSamples_Throws()
    {
        Should.Throw<ArgumentException>(() => Statistics.Of([]));
    }
}
