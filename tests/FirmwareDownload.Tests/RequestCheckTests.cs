using System.Collections.Immutable;
using EdgeDm.Contracts;
using EdgeDm.FirmwareDownload.Downloads;
using EdgeDm.FirmwareDownload.Tests.Support;

namespace EdgeDm.FirmwareDownload.Tests;

public sealed class RequestCheckTests
{
    private static readonly DownloadFile Good = DownloadBed.File([1], "https://host/x");
    private static readonly DownloadOptions Options = DownloadOptions.Default;

    [Fact]
    public void Check_FilesOrBundle_Passes()
    {
        Check(Good);
        RequestCheck.Check(new("j", [], "http://host/b.tar"), Options);
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void Check_Files_UpToTheBound(int count, bool passes) =>
        Outcome([.. Enumerable.Range(0, count).Select(i => Good with { FileId = $"f{i}" })])
            .ShouldBe(passes ? null : "tooLarge");

    [Theory]
    [InlineData(0, "missingUrl")]
    [InlineData(1, null)]
    [InlineData(8, null)]
    [InlineData(9, "tooLarge")]
    public void Check_Addresses_UpToTheBound(int count, string? error) =>
        Outcome(Good with { Urls = [.. Enumerable.Repeat("https://host/x", count)] }).ShouldBe(error);

    [Theory]
    [InlineData("ftp://host/x")]
    [InlineData("file:///etc/passwd")]
    [InlineData("/relative")]
    [InlineData("")]
    [InlineData("https://user:secret@host/x")]
    public void Check_NoWebAddress_IsRefusedWithoutQuotingIt(string url)
    {
        var error = Should.Throw<EdgeDmException>(() => Check(Good with { Urls = [url] })).Error;

        error.Name.ShouldBe("invalidUrl");
        error.Message.ShouldNotContain("secret");
        error.Context.ShouldBe("f1");
    }

    [Theory]
    [InlineData(4096, null)]
    [InlineData(4097, "invalidUrl")]
    public void Check_AddressLength_UpToTheBound(int length, string? error) =>
        Outcome(Good with { Urls = ["https://host/".PadRight(length, 'x')] }).ShouldBe(error);

    [Theory]
    [InlineData(-1L, "invalidValue")]
    [InlineData(0L, null)]
    [InlineData(1L << 50, null)]
    [InlineData((1L << 50) + 1, "tooLarge")]
    public void Check_Size_UpToTheBound(long size, string? error) =>
        Outcome(Good with { SizeInBytes = size }).ShouldBe(error);

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("")]
    [InlineData("ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789")]
    public void Check_DigestNotHexadecimal_IsRefused(string digest) =>
        Outcome(Good with { Sha256 = digest }).ShouldBe("invalidValue");

    [Fact]
    public void Check_NothingOrBothOrTwiceTheSame_IsRefused()
    {
        Outcome().ShouldBe("invalidValue");
        Outcome(Good, Good).ShouldBe("invalidValue");
        Outcome(Good with { FileId = "" }).ShouldBe("invalidValue");
        Should
            .Throw<EdgeDmException>(() => RequestCheck.Check(new("j", [Good], "http://host/b.tar"), Options))
            .Error.Name.ShouldBe("invalidValue");
    }

    private static void Check(params ImmutableArray<DownloadFile> files) =>
        RequestCheck.Check(new("j", files), Options);

    private static string? Outcome(params ImmutableArray<DownloadFile> files)
    {
        try
        {
            Check(files);
            return null;
        }
        catch (EdgeDmException error)
        {
            return error.Error.Name;
        }
    }
}
