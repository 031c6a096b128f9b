namespace EdgeDm.Objects.Tests;

public sealed class DeviceObjectTests
{
    [Theory]
    [InlineData("device/memoryFree")]
    [InlineData("MemoryFree")]
    [InlineData("/3/0/10")]
    public void Find_AnyOfTheThreeNames_IsTheSameResource(string name)
    {
        var resource = DeviceObject.Find(name).ShouldNotBeNull();

        resource.Name.ShouldBe(DeviceObject.MemoryFree);
        resource.Unit.ShouldBe("kB");
        resource.IsNumeric.ShouldBeTrue();
        resource.IsReadable.ShouldBeTrue();
    }

    [Theory]
    [InlineData("UTCOffset", "/3/0/14")]
    [InlineData("UtcOffset", "/3/0/14")]
    [InlineData("DeviceDescription", "/3/0/17")]
    public void Find_ServiceName_IsItsPath(string name, string path) => DeviceObject.Find(name)!.Path.ShouldBe(path);

    [Theory]
    [InlineData("")]
    [InlineData("/3/0/99")]
    [InlineData("device/nothing")]
    public void Find_Unknown_IsNull(string name) => DeviceObject.Find(name).ShouldBeNull();

    [Fact]
    public void Resources_All_HaveDistinctNamesAndPathsOfObject3()
    {
        DeviceObject.Resources.Select(r => r.Name).ShouldBeUnique();
        DeviceObject.Resources.Select(r => r.Path).ShouldBeUnique();
        DeviceObject.Resources.ShouldAllBe(r => r.Path.StartsWith("/3/0/") && r.Name.StartsWith("device/"));
        DeviceObject.Resources.ShouldAllBe(r =>
            (r.Type == ResourceType.None) == (r.Operations == ResourceOperations.Execute)
        );
    }

    [Fact]
    public void DefaultOf_DeviceAndFirmware_AreTheServicesPeriods()
    {
        var state = new Resource(
            "firmwareUpdate/state",
            "FirmwareUpdateState",
            "/5/0/3",
            ResourceType.Integer,
            ResourceOperations.Read
        );

        ObserveAttributes
            .DefaultOf(DeviceObject.Find("MemoryFree")!)
            .ShouldBe(new(TimeSpan.FromSeconds(300), TimeSpan.FromSeconds(21_600)));
        ObserveAttributes.DefaultOf(state).ShouldBe(new(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(21_600)));
    }
}
