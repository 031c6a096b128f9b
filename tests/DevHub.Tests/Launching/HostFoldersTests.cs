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
    public void Of_PathOfTheGateway_IsWhatItWasMappedToAndNeverTheMachinesOwn(string path, string expected) =>
        new HostFolders(
            folder.File("data"),
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["/etc/edgedm"] = folder.File("etc"),
                ["/etc/edgedm/roots"] = folder.File("roots"),
            }
        )
            .Of(path)
            .ShouldBe(folder.File(expected));
}
