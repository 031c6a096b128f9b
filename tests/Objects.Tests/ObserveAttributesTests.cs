using EdgeDm.Contracts;

namespace EdgeDm.Objects.Tests;

public sealed class ObserveAttributesTests
{
    private static readonly Resource Memory = DeviceObject.Find(DeviceObject.MemoryFree)!;
    private static readonly ObserveAttributes Defaults = new(TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(70));

    [Fact]
    public void From_NothingGiven_IsTheDefaults() => From(new(Memory.Name)).ShouldBe(Defaults);

    [Fact]
    public void From_Everything_IsTaken() =>
        From(new(Memory.Name, 0, 1, 100, 50, 24.9))
            .ShouldBe(new(TimeSpan.Zero, TimeSpan.FromSeconds(1), 100, 50, 24.9));

    [Theory]
    [InlineData(-0.001, null)]
    [InlineData(31_622_401.0, null)]
    [InlineData(null, 0.999)]
    [InlineData(null, 31_622_401.0)]
    [InlineData(double.NaN, null)]
    public void From_PeriodOutOfRange_IsRefused(double? min, double? max) =>
        Should
            .Throw<EdgeDmException>(() => From(new(Memory.Name, min, max)))
            .Error.Context.ShouldBe("observations.device/memoryFree");

    [Theory]
    [InlineData(50.0, 50.0, null)]
    [InlineData(100.0, 50.0, 25.0)]
    [InlineData(null, null, 0.0)]
    [InlineData(null, null, -1.0)]
    public void From_ThresholdsThatLwm2mForbids_AreRefused(double? greater, double? less, double? step) =>
        Should
            .Throw<EdgeDmException>(() => From(new(Memory.Name, null, null, greater, less, step)))
            .Error.Name.ShouldBe("invalidValue");

    [Fact]
    public void From_ThresholdOnText_IsRefused()
    {
        var resource = DeviceObject.Find(DeviceObject.Timezone)!;

        Should.Throw<EdgeDmException>(() =>
            ObserveAttributes.From(new(resource.Name, Step: 1), resource, Defaults, "Telemetry")
        );
    }

    private static ObserveAttributes From(Observation wish) =>
        ObserveAttributes.From(wish, Memory, Defaults, Subsystems.Telemetry);
}
