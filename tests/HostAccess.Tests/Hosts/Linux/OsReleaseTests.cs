using EdgeDm.HostAccess.Hosts.Linux;
using EdgeDm.Hosting;

namespace EdgeDm.HostAccess.Tests.Hosts.Linux;

public sealed class OsReleaseTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("edh").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Theory]
    [InlineData("VERSION_ID=\"12\"\nIMAGE_VERSION=2.5.0\n", "2.5.0")]
    [InlineData("# IMAGE_VERSION=9\nNAME=x\nVERSION_ID='11 beta'\n", "11 beta")]
    [InlineData("BUILD_ID=\"a\\$b\"\nVERSION_ID=\n", "a$b")]
    public void ReadVersion_WhatTheFileHas_TheImagesVersionFirst(string text, string version)
    {
        Write("etc/os-release", text);
        OsRelease.ReadVersion(root).ShouldBe(version);
    }

    [Fact]
    public void ReadVersion_InAContainer_IsTheHostsOrNothing()
    {
        Write("etc/os-release", "VERSION_ID=1\n");
        Write(".dockerenv", "");
        Should
            .Throw<MisconfiguredException>(() => OsRelease.ReadVersion(root))
            .Message.ShouldContain("run/host/os-release");
        Write("run/host/os-release", "VERSION_ID=2\n");
        OsRelease.ReadVersion(root).ShouldBe("2");
    }

    [Theory]
    [InlineData("NAME=x\n", "has none of IMAGE_VERSION")]
    [InlineData(null, "cannot be read")]
    public void ReadVersion_NothingThere_SaysWhat(string? text, string words)
    {
        if (text is not null)
        {
            Write("etc/os-release", text);
        }
        Should.Throw<MisconfiguredException>(() => OsRelease.ReadVersion(root)).Message.ShouldContain(words);
    }

    [Fact]
    public void Hardware_Dmi_IsReadWithoutWhatNobodyFilledIn()
    {
        Write("sys/class/dmi/id/sys_vendor", "Contoso Ltd.\n");
        Write("sys/class/dmi/id/product_name", "To Be Filled By O.E.M.\n");
        Write("sys/class/dmi/id/product_serial", "A-17\n");
        var hardware = new HardwareFiles(root);
        hardware.Manufacturer.ShouldBe("Contoso Ltd.");
        hardware.Model.ShouldBeNull();
        hardware.SerialNumber.ShouldBe("A-17");
        hardware.HardwareVersion.ShouldBeNull();
    }

    [Fact]
    public void Hardware_DeviceTree_IsReadWhereThereIsNoDmi()
    {
        Write("proc/device-tree/model", "Contoso Board 4\0");
        Write("proc/device-tree/compatible", "contoso,board-4\0soc,chip\0");
        Write("run/host/device-tree/serial-number", "17\0");
        var hardware = new HardwareFiles(root);
        hardware.Manufacturer.ShouldBe("contoso");
        hardware.Model.ShouldBe("Contoso Board 4");
        hardware.SerialNumber.ShouldBe("17");
    }

    private void Write(string path, string text)
    {
        var full = Path.Combine(root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }
}
