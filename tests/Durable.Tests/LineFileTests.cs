namespace EdgeDm.Durable.Tests;

public sealed class LineFileTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("lines");

    private string FilePath => Path.Combine(folder.FullName, "lines.log");

    [Theory]
    [InlineData("", "new\n")]
    [InlineData("whole\n", "whole\nnew\n")]
    [InlineData("\n", "\nnew\n")]
    [InlineData("whole\nto", "whole\nto\nnew\n")] // Killed in the middle of its last write.
    [InlineData("t", "t\nnew\n")]
    public void OpenToAppend_WhateverWasLeft_BeginsALine(string left, string then)
    {
        File.WriteAllText(FilePath, left);

        using (var file = LineFile.OpenToAppend(FilePath, FileShare.Read))
        {
            file.Write("new\n"u8);
        }

        File.ReadAllText(FilePath).ShouldBe(then);
    }

    [Fact]
    public void OpenToAppend_NoFile_MakesOneThatOnlyItsOwnerReads()
    {
        LineFile.OpenToAppend(FilePath, FileShare.Read).Dispose();

        new FileInfo(FilePath).Length.ShouldBe(0);
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(FilePath).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    public void Dispose() => folder.Delete(recursive: true);
}
