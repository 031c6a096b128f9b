using System.Text;

namespace EdgeDm.Durable.Tests;

public sealed class AtomicFileTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("durable");

    private string FilePath => Path.Combine(folder.FullName, "record.json");

    [Fact]
    public void Write_NewAndOld_LeavesExactlyTheNewContent()
    {
        AtomicFile.Write(FilePath, "a long first content"u8, failpoint: null);
        AtomicFile.Write(FilePath, "second"u8, failpoint: null);

        File.ReadAllText(FilePath).ShouldBe("second");
        folder.GetFiles().Length.ShouldBe(1);
    }

    [Fact]
    public void Write_NothingElseSaid_IsReadableByTheOwnerOnly()
    {
        AtomicFile.Write(FilePath, "secret"u8, failpoint: null);

        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(FilePath).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    [Fact]
    public void Write_LeftoverOfACrash_IsReplaced()
    {
        File.WriteAllText(FilePath + ".tmp", "half");

        AtomicFile.Write(FilePath, "whole"u8, failpoint: null);

        File.ReadAllText(FilePath).ShouldBe("whole");
    }

    [Fact]
    public void Write_CannotBeRenamed_KeepsTheOldAndLeavesNoTemporary()
    {
        Directory.CreateDirectory(FilePath); // A folder of that name: the rename must fail.

        Should
            .Throw<Exception>(() => AtomicFile.Write(FilePath, "new"u8, failpoint: null))
            .ShouldBeAssignableTo<SystemException>();

        Directory.Exists(FilePath).ShouldBeTrue();
        folder.GetFiles().ShouldBeEmpty();
    }

    [Fact]
    public void Write_FolderIsMissing_Throws() =>
        Should.Throw<IOException>(() =>
            AtomicFile.Write(Path.Combine(folder.FullName, "none", "x"), Encoding.UTF8.GetBytes("x"), failpoint: null)
        );

    [Fact]
    public void Delete_Absent_IsNoError()
    {
        AtomicFile.Write(FilePath, "x"u8, failpoint: null);

        AtomicFile.Delete(FilePath, failpoint: null);
        AtomicFile.Delete(FilePath, failpoint: null);

        File.Exists(FilePath).ShouldBeFalse();
    }

    [Fact]
    public void SyncFolder_Missing_TellsItsName() =>
        Should
            .Throw<IOException>(() => AtomicFile.SyncFolder("/no/such/folder"))
            .Message.ShouldContain("/no/such/folder");

    public void Dispose() => folder.Delete(recursive: true);
}
