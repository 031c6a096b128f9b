using EdgeDm.DevHub.Launching;

namespace EdgeDm.DevHub.Tests.Launching;

public sealed class ContainerPathsTests
{
    private static readonly ContainerPaths Paths = new([
        ("/var/lib/edgedm", "/d/v/data"),
        ("/var/lib/edgedm/sub", "/d/v/sub"),
        ("/var/lib/edgedm-store", "/d/v/store"),
        ("/run/edgedm/verbs", "/d/v/verbs"),
    ]);

    [Theory]
    [InlineData("/var/lib/edgedm", "/d/v/data")]
    [InlineData("/var/lib/edgedm/", "/d/v/data/")]
    [InlineData("/var/lib/edgedm/a/b.json", "/d/v/data/a/b.json")]
    [InlineData("/var/lib/edgedm/sub/x", "/d/v/sub/x")]
    [InlineData("/var/lib/edgedm/subway", "/d/v/data/subway")]
    [InlineData("/var/lib/edgedm-store", "/d/v/store")]
    [InlineData("/var/lib/edgedm2", "/var/lib/edgedm2")]
    [InlineData("/other/var/lib/edgedm", "/other/var/lib/edgedm")]
    [InlineData("unix:/run/edgedm/verbs/host.sock", "unix:/d/v/verbs/host.sock")]
    [InlineData("unix:///run/edgedm/verbs/host.sock", "unix:///d/v/verbs/host.sock")]
    [InlineData("https://host/var/lib/edgedm", "https://host/var/lib/edgedm")]
    [InlineData("file:///var/lib/edgedm?mode=ro", "file:///d/v/data?mode=ro")]
    [InlineData("/var/lib/edgedm:/var/lib/edgedm-store", "/d/v/data:/d/v/store")]
    [InlineData("Data=/var/lib/edgedm/db;Mode=rw", "Data=/d/v/data/db;Mode=rw")]
    [InlineData("--in /run/edgedm/verbs --out \"/var/lib/edgedm\"", "--in /d/v/verbs --out \"/d/v/data\"")]
    [InlineData("var/lib/edgedm", "var/lib/edgedm")]
    [InlineData("/", "/")]
    [InlineData("", "")]
    public void Rewrite_Value_NamesHostPathsWhereItNamedContainerPaths(string value, string expected) =>
        Paths.Rewrite(value).ShouldBe(expected);

    [Fact]
    public void Rewrite_HostPathThatLooksLikeAContainerPath_IsReplacedOnce() =>
        new ContainerPaths([("/a", "/b"), ("/b", "/a")]).Rewrite("/a:/b").ShouldBe("/b:/a");
}
