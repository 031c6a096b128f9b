using System.Text;
using EdgeDm.DevHub.Launching;

namespace EdgeDm.DevHub.Tests.Launching;

public sealed class ShortPathsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Open_DeepDataFolder_GivesSocketPathsThatTheKernelTakes()
    {
        var paths = Open(folder.File(new string('d', 200), new string('e', 200)));

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
        var socket = Path.GetFileNameWithoutExtension(Open("data").WorkloadSocket(moduleId));

        socket.ShouldAllBe(c => char.IsAsciiLetterOrDigit(c) || c == '-');
    }

    [Fact]
    public void WorkloadSocket_TwoLongNames_StayApartAndFit()
    {
        var paths = Open("data");
        var one = paths.WorkloadSocket(new string('a', 127) + "1");
        var two = paths.WorkloadSocket(new string('a', 127) + "2");

        one.ShouldNotBe(two);
        one.Length.ShouldBeLessThanOrEqualTo(ShortPaths.LongestSocketPath);
    }

    [Fact]
    public void Volume_Used_LiesInTheDataFolder()
    {
        var paths = Open("data");

        File.WriteAllText(Path.Combine(paths.Volume("store"), "x"), "content");

        File.ReadAllText(folder.File("data", "volumes", "store", "x")).ShouldBe("content");
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("-x")]
    public void Volume_NameThatDockerRefuses_IsRefused(string name) =>
        Should.Throw<ArgumentException>(() => Open("data").Volume(name));

    [Fact]
    public void Volume_NameTooLongForASocketBelow_IsRefused()
    {
        var paths = Open("data");
        var longest = ShortPaths.LongestSocketPath - ShortPaths.ReservedInVolume - paths.Volume("ab").Length + 2;

        paths
            .Volume(new string('v', longest))
            .Length.ShouldBe(ShortPaths.LongestSocketPath - ShortPaths.ReservedInVolume);
        Should.Throw<ArgumentException>(() => paths.Volume(new string('v', longest + 1)));
    }

    [Fact]
    public void Open_Twice_GivesTheSamePathsAndOtherDataOthers()
    {
        Open("data").WorkloadSocket("a").ShouldBe(Open("data").WorkloadSocket("a"));
        Open("data").WorkloadSocket("a").ShouldNotBe(Open("other").WorkloadSocket("a"));
    }

    [Fact]
    public void Open_Made_IsPrivate()
    {
        var made = Path.GetDirectoryName(Open("data").WorkloadSocket("a"))!;

        File.GetUnixFileMode(made).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [Fact]
    public void Open_NameTakenByALink_IsRefused()
    {
        var taken = Path.GetDirectoryName(Open("data").WorkloadSocket("a"))!;
        Directory.Delete(taken, recursive: true);
        Directory.CreateSymbolicLink(taken, Directory.CreateDirectory(folder.File("elsewhere")).FullName);

        Should.Throw<IOException>(() => Open("data")).Message.ShouldContain("belongs to somebody else");
    }

    [Fact]
    public void Dispose_WithVolumes_RemovesTheShortFolderAndKeepsTheirContent()
    {
        var paths = Open("data");
        File.WriteAllText(Path.Combine(paths.Volume("store"), "x"), "content");

        paths.Dispose();

        Directory.Exists(Path.GetDirectoryName(paths.WorkloadSocket("a"))).ShouldBeFalse();
        File.ReadAllText(folder.File("data", "volumes", "store", "x")).ShouldBe("content");
    }

    private ShortPaths Open(string data) => ShortPaths.Open(folder.File(data), folder.Path);
}
