using System.Text.Json;
using EdgeDm.Testing;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeDm.Objects.Tests;

/// <summary>The two promises, for any periods and any readings, with the engine driven as a program drives it.</summary>
public sealed class ObserveEngineProperties
{
    private static readonly Arbitrary<Run> Runs = (
        from min in Gen.Choose(0, 40)
        from max in Gen.Choose(10, 400)
        from steps in Gen.Choose(0, 25).Zip(Gen.Choose(0, 3)).ListOf(120)
        from condition in Gen.Choose(0, 3)
        select new Run(min / 4.0, max / 4.0, [.. steps], condition)
    ).ToArbitrary();

    [Fact]
    public void TakeDue_AnyReadings_NeverMoreOftenThanMinPeriod() =>
        Check(run => Gaps(run).All(gap => gap >= TimeSpan.FromSeconds(run.Min)));

    [Fact]
    public void TakeDue_AnyReadings_AtLeastEveryMaxPeriod() =>
        Check(run => run.Max < run.Min || Gaps(run).All(gap => gap <= TimeSpan.FromSeconds(run.Max)));

    [Fact]
    public void TakeDue_AnyReadings_TheNewestValueIsToldInTheEnd() =>
        Check(run => run.Max < run.Min || Play(run, out var last)[^1].Value == last);

    private static void Check(Func<Run, bool> holds) =>
        Prop.ForAll(Runs, holds).Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    private static IEnumerable<TimeSpan> Gaps(Run run)
    {
        var told = Play(run, out _);
        return told.Zip(told.Skip(1), (one, next) => next.At - one.At);
    }

    /// <summary>Readings at random times; between them the engine is asked whenever it says that something is due.</summary>
    private static List<(TimeSpan At, int Value)> Play(Run run, out int last)
    {
        var clock = new FakeTimeProvider();
        var engine = new ObserveEngine(clock);
        var told = new List<(TimeSpan, int)>();
        engine.Observe(
            "r",
            new(
                TimeSpan.FromSeconds(run.Min),
                TimeSpan.FromSeconds(run.Max),
                run.Condition == 1 ? 1 : null,
                run.Condition == 2 ? 2 : null,
                run.Condition == 3 ? 2 : null
            )
        );
        last = 0;
        foreach (var (quarters, value) in run.Steps)
        {
            last = value;
            engine.Set("r", JsonSerializer.SerializeToElement(value), clock.GetUtcNow());
            Drive(TimeSpan.FromSeconds(quarters / 4.0));
        }
        Drive(TimeSpan.FromSeconds(2 * Math.Max(run.Max, run.Min) + 2));
        return told;

        void Drive(TimeSpan span)
        {
            var end = clock.GetElapsedTime(0) + span;
            while (engine.NextDue is { } due && clock.GetElapsedTime(0) + due <= end)
            {
                clock.Advance(due);
                var values = engine.TakeDue().SelectMany(n => n.Values).ToList();
                values.Count.ShouldBe(1, "NextDue promised something.");
                told.Add((clock.GetElapsedTime(0), values[0].Value.GetInt32()));
            }
            clock.Advance(end - clock.GetElapsedTime(0));
        }
    }

    private sealed record Run(double Min, double Max, (int Quarters, int Value)[] Steps, int Condition);
}
