using EdgeDm.DevHub.Deployment;
using EdgeDm.DevHub.Launching;

namespace EdgeDm.DevHub.Tests.Launching;

public sealed class LauncherPartsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(1, 1)]
    [InlineData(9, 256)]
    [InlineData(10, 300)]
    [InlineData(29, 300)]
    [InlineData(1000, 300)]
    public void Wait_OfABackoff_DoublesUpToTheLongest(int restarts, double seconds) =>
        new RestartBackoff().Wait(restarts).TotalSeconds.ShouldBe(seconds);

    [Fact]
    public void WriteLine_LogAtItsLimit_RotatesAndKeepsAFewOlderFiles()
    {
        var path = folder.File("logs", "A.log");
        using (var log = new ModuleLog(path, largestFile: 10))
        {
            foreach (var line in new[] { "1234", "1234", "next", "12345678901234", "after", "last1" })
            {
                log.WriteLine(System.Text.Encoding.UTF8.GetBytes(line));
            }
        }

        File.ReadAllText(path).ShouldBe("last1\n");
        File.ReadAllText(path + ".1").ShouldBe("after\n");
        File.ReadAllText(path + ".2").ShouldBe("12345678901234\n");
        File.Exists(path + ".3").ShouldBeFalse();
    }

    [Fact]
    public void WriteLine_LogReachingItsLimitExactly_DoesNotRotate()
    {
        var path = folder.File("logs", "A.log");
        using (var log = new ModuleLog(path, largestFile: 10))
        {
            log.WriteLine("1234"u8);
            log.WriteLine("1234"u8);
        }

        File.Exists(path + ".1").ShouldBeFalse();
    }

    [Theory]
    [InlineData("(sleep)", 7, 'S')]
    [InlineData("(a) S 9 (b)", 7, 'Z')]
    public void Parse_ProcessWithAnyName_FindsItsFields(string name, int parent, char state)
    {
        var entry = ProcessEntry.Parse(
            5,
            $"5 {name} {state} {parent} 5 4 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 123456 1000 2 3\n"
        )!;

        entry.ShouldBe(new ProcessEntry(5, parent, 4, state, 123456));
        entry.IsAlive.ShouldBe(state == 'S');
    }

    [Theory]
    [InlineData("modules/Alpha/bin/Release/net10.0/Contoso.Alpha")]
    [InlineData("modules/Alpha/bin/Release/net10.0/Alpha")]
    public void Find_BuiltModule_IsTheProgramNamedAsItsFolder(string program)
    {
        Alpha();
        Executable("modules/Alpha/bin/Debug/net10.0/Alpha");
        folder.Write("modules/Alpha/bin/Release/net10.0/Contoso.Alpha.dll", "");
        folder.Write("modules/Alpha/bin/Release/net10.0/Alpha.pdb", "");
        Executable(program);

        Programs().Find(Module("contoso/alpha:1-amd64")).ShouldBe(folder.File(program.Split('/')));
    }

    [Theory]
    [InlineData("out/Contoso.Alpha")]
    [InlineData("out/Alpha/Alpha")]
    public void Find_InAPublishedFolder_IsTheProgramThere(string program)
    {
        Alpha();
        Executable(program);

        Programs(published: folder.File("out"))
            .Find(Module("contoso/alpha:1-amd64"))
            .ShouldBe(folder.File(program.Split('/')));
    }

    [Fact]
    public void Find_NotBuilt_SaysHowToBuildIt()
    {
        Alpha();
        folder.Write("modules/Alpha/bin/Release/net10.0/Alpha", "not executable");

        Should
            .Throw<FileNotFoundException>(() => Programs().Find(Module("contoso/alpha:1-amd64")))
            .Message.ShouldContain("dotnet build -c Release");
    }

    [Fact]
    public void Find_ImageOfOthers_AsksForItsProgram() =>
        Should
            .Throw<FileNotFoundException>(() => Programs().Find(Module("contoso/other:1")))
            .Message.ShouldContain("--program A=PATH");

    [Fact]
    public void Find_GivenProgram_WinsAndMustExist()
    {
        Programs(given: Executable("mine")).Find(Module("contoso/other:1")).ShouldBe(folder.File("mine"));
        Should.Throw<FileNotFoundException>(() => Programs(given: "/nowhere").Find(Module("contoso/other:1")));
    }

    private void Alpha() =>
        folder.Write(
            "modules/Alpha/module.json",
            """{"image":{"repository":"contoso/alpha","tag":{"version":"1","platforms":{"amd64":"Dockerfile"}}}}"""
        );

    private string Executable(string path)
    {
        var file = folder.Write(path, "#!/bin/sh\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return file;
    }

    private ModulePrograms Programs(string? published = null, string? given = null)
    {
        var programs = new Dictionary<string, string>(StringComparer.Ordinal);
        if (given is not null)
        {
            programs["A"] = given;
        }
        return new(new ModuleCatalog(folder.Path, new TemplateVariables(programs, [])), "Release", published, programs);
    }

    private static ModuleDeployment Module(string image) =>
        new(
            "A",
            image,
            IsWanted: true,
            RestartPolicy.Always,
            0,
            new Dictionary<string, string>(StringComparer.Ordinal),
            new([], new Dictionary<string, string>(), new Dictionary<string, string>(), [], [])
        );
}
