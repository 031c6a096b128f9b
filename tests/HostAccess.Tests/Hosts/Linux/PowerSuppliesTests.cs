using EdgeDm.Contracts;
using EdgeDm.HostAccess.Hosts.Linux;

namespace EdgeDm.HostAccess.Tests.Hosts.Linux;

public sealed class PowerSuppliesTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("edh").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void ReadBattery_NoneOfTheHost_IsNull()
    {
        Read().ShouldBeNull();
        Write("AC", ("type", "Mains"), ("online", "1"));
        Write("hid-keyboard", ("type", "Battery"), ("scope", "Device"), ("capacity", "3"));
        Read().ShouldBeNull();
    }

    [Theory]
    [InlineData("Discharging", "Good", "Normal", "normal")]
    [InlineData("Not charging", "Good", "Normal", "normal")]
    [InlineData("Discharging", "Good", "Low", "low")]
    [InlineData("Discharging", "Good", "Critical", "low")]
    [InlineData("Charging", "Good", "Low", "charging")]
    [InlineData("Full", "Good", "Full", "chargeComplete")]
    [InlineData("Full", "Dead", "Full", "damaged")]
    [InlineData("Unknown", "Good", "Normal", "unknown")]
    public void ReadBattery_AsTheKernelTells_IsInLwM2MsWords(string status, string health, string level, string told)
    {
        Write(
            "BAT0",
            ("type", "Battery"),
            ("present", "1"),
            ("capacity", "42"),
            ("status", status),
            ("health", health),
            ("capacity_level", level)
        );
        Read().ShouldBe(new HostBattery(42, told));
    }

    [Fact]
    public void ReadBattery_TakenOut_IsNotInstalledAndHasNoLevel()
    {
        Write("BAT0", ("type", "Battery"), ("present", "0"));
        Read().ShouldBe(new HostBattery(null, BatteryStatuses.NotInstalled));
    }

    [Theory]
    [InlineData("100", 100)]
    [InlineData("101", 100)]
    [InlineData("-1", null)]
    [InlineData("many", null)]
    public void ReadBattery_LevelOutOfRange_IsBoundOrUnknown(string capacity, int? level)
    {
        Write("BAT0", ("type", "Battery"), ("capacity", capacity), ("status", "Discharging"));
        Read()!.Level.ShouldBe(level);
    }

    private HostBattery? Read() => new PowerSupplies(root).ReadBattery();

    private void Write(string supply, params (string Name, string Text)[] files)
    {
        var folder = Directory.CreateDirectory(Path.Combine(root, "sys/class/power_supply", supply)).FullName;
        foreach (var (name, text) in files)
        {
            File.WriteAllText(Path.Combine(folder, name), text + "\n");
        }
    }
}
