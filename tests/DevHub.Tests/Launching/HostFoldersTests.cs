using EdgeDm.DevHub.Launching;

namespace EdgeDm.DevHub.Tests.Launching;

public sealed class HostFoldersTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("/run/dbus", "data/host/run/dbus")]
    [InlineData("/etc/edgedm", "etc")]
    [InlineData("/etc/edgedm/", "etc")]
    [InlineData("/etc/edgedm/roots", "roots")]
    [InlineData("/etc/edgedm/roots/a", "roots/a")]
    [InlineData("/etc/edgedm-other", "data/host/etc/edgedm-other")]
    public void Of_PathOfTheGateway_IsWhatItWasMappedToAndNeverTheMachinesOwn(string path, string expected)
    {
        var place = Folders().Of(path);

        place.ShouldBe(folder.File(expected));
        Directory.Exists(place).ShouldBeTrue();
    }

    [Fact]
    public void Of_FileThatIsThere_StaysAFile()
    {
        var file = folder.Write("os-release", "ID=x");

        new HostFolders(folder.File("data"), Mapped("/etc/os-release", file)).Of("/etc/os-release").ShouldBe(file);

        File.ReadAllText(file).ShouldBe("ID=x");
    }

    private HostFolders Folders() =>
        new(
            folder.File("data"),
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["/etc/edgedm"] = folder.File("etc"),
                ["/etc/edgedm/roots"] = folder.File("roots"),
            }
        );

    private static Dictionary<string, string> Mapped(string path, string place) =>
        new(StringComparer.Ordinal) { [path] = place };
}
