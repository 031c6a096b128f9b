using System.Text;
using EdgeDm.DevHub.Launching;

namespace EdgeDm.DevHub.Tests.Launching;

public sealed class ShortPathsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static string Deep => Path.Combine(new string('d', 200), new string('e', 200));

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Open_DataFolderNearTheRoot_NeedsNoShortFolder()
    {
        using var paths = Open("data");

        paths.WorkloadSocket("Telemetry").ShouldBe(folder.File("data", "workload", "Telemetry.sock"));
        paths.Volume("store").ShouldBe(folder.File("data", "volumes", "store"));
        Directory.GetDirectories(folder.Path).ShouldBe([folder.File("data")]);
    }

    [Fact]
    public void Open_DeepDataFolder_GivesSocketPathsThatTheKernelTakes()
    {
        using var paths = Open(Deep);

        var inVolume = Path.Combine(paths.Volume("edgedm-inventory"), "host-access.sock");

        Encoding.UTF8.GetByteCount(inVolume).ShouldBeLessThanOrEqualTo(ShortPaths.LongestSocketPath);
        Encoding
            .UTF8.GetByteCount(paths.WorkloadSocket("DeviceManagement"))
            .ShouldBeLessThanOrEqualTo(ShortPaths.LongestSocketPath);
    }

    [Theory]
    [InlineData("$edgeHub")]
    [InlineData("odd:name.of%a+module")]
    public void WorkloadSocket_NameThatAHostHeaderCannotHold_IsReplaced(string moduleId)
    {
        using var paths = Open("data");

        Path.GetFileNameWithoutExtension(paths.WorkloadSocket(moduleId))
            .ShouldAllBe(c => char.IsAsciiLetterOrDigit(c) || c == '-');
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WorkloadSocket_TwoLongNames_StayApartAndFit(bool deep)
    {
        using var paths = Open(deep ? Deep : "data");
        var one = paths.WorkloadSocket(new string('a', 127) + "1");
        var two = paths.WorkloadSocket(new string('a', 127) + "2");

        one.ShouldNotBe(two);
        one.Length.ShouldBeLessThanOrEqualTo(ShortPaths.LongestSocketPath);
    }

    [Fact]
    public void Volume_OfADeepDataFolder_LiesThere()
    {
        using var paths = Open(Deep);

        File.WriteAllText(Path.Combine(paths.Volume("store"), "x"), "content");

        File.ReadAllText(folder.File(Deep, "volumes", "store", "x")).ShouldBe("content");
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("-x")]
    public void Volume_NameThatDockerRefuses_IsRefused(string name)
    {
        using var paths = Open("data");

        Should.Throw<ArgumentException>(() => paths.Volume(name));
    }

    [Fact]
    public void Volume_NameTooLongForASocketBelow_IsRefused()
    {
        using var paths = Open(Deep);
        const int longestVolume = ShortPaths.LongestSocketPath - ShortPaths.ReservedInVolume;
        var longestName = longestVolume - paths.Volume("ab").Length + "ab".Length;

        paths.Volume(new string('v', longestName)).Length.ShouldBe(longestVolume);
        Should.Throw<ArgumentException>(() => paths.Volume(new string('v', longestName + 1)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Open_Again_GivesTheSamePathsAndOtherDataOthers(bool deep)
    {
        var data = deep ? Deep : "data";
        using var first = Open(data);
        using var other = Open(data + "2");

        var socket = first.WorkloadSocket("a");

        other.WorkloadSocket("a").ShouldNotBe(socket);
        first.Dispose();
        Open(data).WorkloadSocket("a").ShouldBe(socket);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WorkloadSocket_Folder_IsPrivate(bool deep)
    {
        using var paths = Open(deep ? Deep : "data");

        File.GetUnixFileMode(Path.GetDirectoryName(paths.WorkloadSocket("a"))!)
            .ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public void WorkloadSocket_ShortNameTakenByALink_IsRefused()
    {
        string taken;
        using (var paths = Open(Deep))
        {
            taken = Path.GetDirectoryName(paths.WorkloadSocket("a"))!;
        }
        Directory.CreateSymbolicLink(taken, Directory.CreateDirectory(folder.File("elsewhere")).FullName);
        using var again = Open(Deep);

        Should.Throw<IOException>(() => again.WorkloadSocket("a")).Message.ShouldContain("belongs to somebody else");
    }

    [Fact]
    public void Dispose_WithVolumes_RemovesTheShortFolderAndKeepsTheirContent()
    {
        string socket;
        using (var paths = Open(Deep))
        {
            socket = paths.WorkloadSocket("a");
            File.WriteAllText(Path.Combine(paths.Volume("store"), "x"), "content");
        }

        Directory.Exists(Path.GetDirectoryName(socket)).ShouldBeFalse();
        File.ReadAllText(folder.File(Deep, "volumes", "store", "x")).ShouldBe("content");
    }

    private ShortPaths Open(string data) => ShortPaths.Open(folder.File(data), folder.Path);
}
