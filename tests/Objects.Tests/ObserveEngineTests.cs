using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.Testing;

namespace EdgeDm.Objects.Tests;

public sealed class ObserveEngineTests
{
    private const string Name = "device/batteryLevel";
    private readonly FakeTimeProvider clock = new();
    private readonly ObserveEngine engine;

    public ObserveEngineTests() => engine = new(clock);

    [Fact]
    public void Set_FirstValue_IsDueAtOnce()
    {
        Observe(300, 21_600);
        engine.NextDue.ShouldBeNull();

        Set(90);

        engine.NextDue.ShouldBe(TimeSpan.Zero);
        Take().ShouldBe([90]);
        Take().ShouldBeEmpty();
    }

    [Fact]
    public void Set_ChangesWithinMinPeriod_OnlyTheLastIsToldWhenItHasPassed()
    {
        // Wakaama's answer to pmin=3&pmax=7 and 90, 80, 70, 60 a second apart: 90, then 60, then 60 again.
        Observe(3, 7);
        var told = new List<(int Second, double Value)>();
        for (var second = 0; second <= 12; second++)
        {
            Set(Math.Max(60, 90 - (10 * second)));
            told.AddRange(Take().Select(v => (second, v)));
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        told.ShouldBe([(0, 90), (3, 60), (10, 60)]);
    }

    [Fact]
    public void Set_ChangeAfterMinPeriod_IsToldAtOnce()
    {
        Tell(300, 21_600, 1);
        clock.Advance(TimeSpan.FromSeconds(1000));

        Set(2);

        Take().ShouldBe([2]);
    }

    [Fact]
    public void Set_SameValue_IsToldOnlyAtMaxPeriod()
    {
        Tell(3, 60, 1);
        clock.Advance(TimeSpan.FromSeconds(59));
        Set(1);
        Take().ShouldBeEmpty();
        engine.NextDue.ShouldBe(TimeSpan.FromSeconds(1));

        clock.Advance(TimeSpan.FromSeconds(1));

        Take().ShouldBe([1]);
    }

    [Fact]
    public void Set_MaxPeriodShorterThanMinPeriod_MaxIsIgnored()
    {
        Tell(60, 10, 1);
        clock.Advance(TimeSpan.FromDays(1));
        Take().ShouldBeEmpty();

        Set(2);

        Take().ShouldBe([2]);
    }

    [Fact]
    public void Set_MinPeriodZero_EveryChangeIsTold()
    {
        Tell(0, 60, 1);

        foreach (var value in new[] { 2, 3, 4 })
        {
            Set(value);
            Take().ShouldBe([value]);
        }
    }

    [Theory]
    [InlineData(100)]
    [InlineData(49)]
    public void Set_GreaterThan_IsToldWhenCrossedEitherWay(int first)
    {
        Observe(0, 21_600, greaterThan: 50);
        Set(first);
        Take();
        var isAbove = first > 50;

        Set(isAbove ? 51 : 50);
        Take().ShouldBeEmpty(); // Moved, not crossed.
        Set(isAbove ? 50 : 51);
        Take().Count.ShouldBe(1);
        Set(isAbove ? 51 : 50);
        Take().Count.ShouldBe(1);
    }

    [Fact]
    public void Set_LessThan_IsToldWhenCrossedEitherWay()
    {
        Observe(0, 21_600, lessThan: 20);
        Set(25);
        Take();

        Set(20);
        Take().ShouldBeEmpty();
        Set(19);
        Take().ShouldBe([19]);
        Set(5);
        Take().ShouldBeEmpty();
        Set(20);
        Take().ShouldBe([20]);
    }

    [Fact]
    public void Set_CrossedThereAndBackWithinMinPeriod_IsToldWithTheLastValue()
    {
        Observe(10, 21_600, greaterThan: 50);
        Set(40);
        Take();

        Set(60);
        Set(41);
        clock.Advance(TimeSpan.FromSeconds(10));

        Take().ShouldBe([41]);
    }

    [Fact]
    public void Set_Step_CountsFromTheLastValueTold()
    {
        Observe(0, 21_600, step: 10);
        Set(100);
        Take();

        Set(105);
        Take().ShouldBeEmpty();
        Set(109);
        Take().ShouldBeEmpty();
        Set(110);
        Take().ShouldBe([110]);
        Set(101);
        Take().ShouldBeEmpty();
        Set(100);
        Take().ShouldBe([100]);
    }

    [Fact]
    public void Set_ConditionAndText_AnyChangeIsTold()
    {
        Observe(0, 60, step: 10);
        Set("a");
        engine.TakeDue().Count.ShouldBe(1);

        Set("b");

        engine.TakeDue().ShouldHaveSingleItem().Values[0].Value.GetString().ShouldBe("b");
    }

    [Fact]
    public void SetUnavailable_MaxPeriodPasses_NothingStaleIsTold()
    {
        Tell(3, 60, 1);
        engine.SetUnavailable(Name);
        clock.Advance(TimeSpan.FromHours(1));

        Take().ShouldBeEmpty();
        engine.NextDue.ShouldBeNull();

        Set(1);
        Take().ShouldBe([1]); // The maximum period has long passed.
    }

    [Fact]
    public void TakeDue_NotCalledForLong_OnlyTheNewestWaits()
    {
        Tell(3, 60, 1);
        for (var i = 2; i < 100; i++)
        {
            clock.Advance(TimeSpan.FromSeconds(60));
            Set(i);
        }

        Take().ShouldBe([99]);
        Take().ShouldBeEmpty();
    }

    [Fact]
    public void TakeDue_DueInTheSameSecond_TravelTogether()
    {
        engine.Observe("a", new(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(600)));
        engine.Observe("b", new(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(600)));
        Set(1, "a");
        engine.TakeDue().Count.ShouldBe(1);
        clock.Advance(TimeSpan.FromSeconds(0.4));
        Set(1, "b");
        engine.TakeDue().Count.ShouldBe(1);
        clock.Advance(TimeSpan.FromSeconds(2.3));
        Set(2, "a"); // 2.7 s: due at 3 s.
        Set(2, "b"); // Due at 5.4 s, so at 6 s.
        clock.Advance(TimeSpan.FromSeconds(3.3));

        engine.TakeDue().ShouldHaveSingleItem().Values.Select(v => v.Resource).ShouldBe(["a", "b"]);
    }

    [Fact]
    public void TakeDue_MoreThanFourKilobytes_IsSplit()
    {
        for (var i = 0; i < 100; i++)
        {
            engine.Observe($"r{i}", new(TimeSpan.Zero, TimeSpan.FromSeconds(60)));
            Set(new string('x', 30), $"r{i}");
        }

        var batches = engine.TakeDue();

        batches.Sum(b => b.Values.Length).ShouldBe(100);
        batches.Count.ShouldBe(3);
        batches.ShouldAllBe(b =>
            JsonSerializer.SerializeToUtf8Bytes(b, ContractsJson.Default.Notification).Length
            <= NotificationBatch.MaxBytes
        );
    }

    [Fact]
    public void Set_ValueThatJustFits_IsTold()
    {
        Observe(0, 60);
        Set("");
        var empty = JsonSerializer.SerializeToUtf8Bytes(engine.TakeDue()[0], ContractsJson.Default.Notification).Length;
        var longest = new string('x', NotificationBatch.MaxBytes - empty);

        Set(longest);
        var bytes = JsonSerializer.SerializeToUtf8Bytes(engine.TakeDue()[0], ContractsJson.Default.Notification);

        bytes.Length.ShouldBe(NotificationBatch.MaxBytes);
        Should.Throw<EdgeDmException>(() => Set(longest + "x")).Error.Name.ShouldBe("tooLarge");
    }

    [Fact]
    public void Observe_Again_KeepsWhatWasTold()
    {
        Tell(300, 21_600, 1);
        Set(2);
        Take().ShouldBeEmpty();

        Observe(5, 21_600);
        clock.Advance(TimeSpan.FromSeconds(5));

        Take().ShouldBe([2]);
    }

    [Fact]
    public void Forget_Observed_TellsNothingMore()
    {
        Tell(0, 60, 1);
        engine.Forget(Name);
        Set(2);

        Take().ShouldBeEmpty();
        engine.Resources.ShouldBeEmpty();
    }

    [Fact]
    public void TakeDue_WallClockSteps_ChangeNothing()
    {
        Tell(3, 60, 1);
        Set(2);

        clock.StepClock(TimeSpan.FromDays(3650));
        Take().ShouldBeEmpty();
        clock.StepClock(TimeSpan.FromDays(-7300));
        clock.Advance(TimeSpan.FromSeconds(3));

        Take().ShouldBe([2]);
    }

    private void Tell(double min, double max, int value)
    {
        Observe(min, max);
        Set(value);
        Take().ShouldBe([value]);
    }

    private void Observe(
        double min,
        double max,
        double? greaterThan = null,
        double? lessThan = null,
        double? step = null
    ) => engine.Observe(Name, new(TimeSpan.FromSeconds(min), TimeSpan.FromSeconds(max), greaterThan, lessThan, step));

    private void Set(object value, string name = Name) =>
        engine.Set(name, JsonSerializer.SerializeToElement(value), clock.GetUtcNow());

    private List<double> Take() => [.. engine.TakeDue().SelectMany(n => n.Values).Select(v => v.Value.GetDouble())];
}
