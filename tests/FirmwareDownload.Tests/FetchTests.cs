using EdgeDm.Contracts;
using EdgeDm.FirmwareDownload.Tests.Support;

namespace EdgeDm.FirmwareDownload.Tests;

/// <summary>The good way: files come in, are verified, counted and kept.</summary>
public sealed class FetchTests
{
    private readonly byte[] content = TestFiles.Make(200_000);

    [Fact]
    public async Task Request_OneFile_IsStoredAndAnswered()
    {
        await using var server = await FileServer.StartAsync(content);
        await using var bed = new DownloadBed();

        var completed = await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        bed.Stored(content).ShouldBe(content);
        completed.Bytes.ShouldBe(new(200_000, 0, 200_000));
        completed.Files.ShouldBe([new("f1", TestFiles.Digest(content), 200_000)]);
        completed.UpdateManifest.ShouldBeNull();
        Directory.GetFiles(Path.Combine(bed.Store, "partial")).ShouldBeEmpty();
        server.Requests.ShouldHaveSingleItem().Range.ShouldBe("");
    }

    [Fact]
    public async Task Request_OneFile_IsReadableByHostAccess()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Unix permissions.");
            return;
        }
        await using var server = await FileServer.StartAsync(content);
        await using var bed = new DownloadBed();

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        Convert.ToString((int)File.GetUnixFileMode(bed.PathOf(content)), 8).ShouldBe("644");
    }

    [Fact]
    public async Task Request_SeveralFiles_AllAreStored()
    {
        var other = TestFiles.Make(70_000, seed: 2);
        await using var server = await FileServer.StartAsync(content);
        await using var second = await FileServer.StartAsync(other);
        await using var bed = new DownloadBed();

        var completed = await bed.CompleteAsync(
            DownloadBed.Request(
                DownloadBed.File(content, server.Url),
                DownloadBed.File(other, second.Url) with
                {
                    FileId = "f2",
                }
            )
        );

        bed.Stored(content).ShouldBe(content);
        bed.Stored(other).ShouldBe(other);
        completed.Bytes.ShouldBe(new(270_000, 0, 270_000));
    }

    [Fact]
    public async Task Request_TwoIdsWithOneDigest_AreFetchedOnce()
    {
        await using var server = await FileServer.StartAsync(content);
        await using var bed = new DownloadBed();
        var file = DownloadBed.File(content, server.Url);

        var completed = await bed.CompleteAsync(DownloadBed.Request(file, file with { FileId = "f2" }));

        completed.Files.Select(f => f.FileId).ShouldBe(["f1", "f2"]);
        server.BytesSent.ShouldBe(200_000);
    }

    [Fact]
    public async Task Request_FileInStore_IsReused()
    {
        await using var server = await FileServer.StartAsync(content);
        await using var bed = new DownloadBed();
        var request = DownloadBed.Request(DownloadBed.File(content, server.Url));
        await bed.CompleteAsync(request);

        var completed = await bed.CompleteAsync(request with { JobId = "job-2" });

        completed.Bytes.ShouldBe(new(0, 200_000, 200_000));
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Request_StoredFileWithFlippedBit_IsFetchedAgain()
    {
        await using var server = await FileServer.StartAsync(content);
        await using var bed = new DownloadBed();
        var damaged = (byte[])content.Clone();
        damaged[77] ^= 1;
        await File.WriteAllBytesAsync(bed.PathOf(content), damaged);

        var completed = await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        completed.Bytes.Reused.ShouldBe(0);
        bed.Stored(content).ShouldBe(content);
    }

    [Fact]
    public async Task Request_StoredFileWithFlippedBitAndNoVerification_SizeIsEnough()
    {
        await using var bed = new DownloadBed(DownloadBed.Quick with { VerifyStored = false });
        await File.WriteAllBytesAsync(bed.PathOf(content), new byte[content.Length]);

        var completed = await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, "http://127.0.0.1:1/")));

        completed.Bytes.Reused.ShouldBe(content.Length);
    }

    [Fact]
    public async Task Request_StoredFileOfWrongSize_IsFetchedAgain()
    {
        await using var server = await FileServer.StartAsync(content);
        await using var bed = new DownloadBed(DownloadBed.Quick with { VerifyStored = false });
        await File.WriteAllBytesAsync(bed.PathOf(content), content[..1000]);

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        bed.Stored(content).ShouldBe(content);
    }

    [Fact]
    public async Task Request_EmptyFile_NeedsNoServer()
    {
        await using var bed = new DownloadBed();

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File([], "http://127.0.0.1:1/")));

        bed.Stored([]).ShouldBe([]);
    }

    [Fact]
    public async Task Request_FirstAddressMissing_SecondIsUsed()
    {
        await using var server = await FileServer.StartAsync(content);
        server.Misbehave = (http, number) =>
        {
            http.Response.StatusCode = number == 0 ? 404 : 200;
            return Task.FromResult(number == 0);
        };
        await using var bed = new DownloadBed();

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url, server.Origin + "/mirror")));

        server.Requests.Select(r => r.Target).ShouldBe(["/file.bin?token=" + TestFiles.Token, "/mirror"]);
    }

    [Fact]
    public async Task Request_FirstAddressHasOtherBytes_SecondIsUsed()
    {
        await using var wrong = await FileServer.StartAsync(TestFiles.Make(200_000, seed: 9));
        await using var server = await FileServer.StartAsync(content);
        await using var bed = new DownloadBed();

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, wrong.Url, server.Url)));

        bed.Stored(content).ShouldBe(content);
    }

    [Fact]
    public async Task Request_OtherBytes_FailsWithDigestMismatchAndLeavesNothing()
    {
        await using var server = await FileServer.StartAsync(TestFiles.Make(200_000, seed: 9));
        await using var bed = new DownloadBed();

        var error = await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        error.Code.ShouldBe(ErrorRegistry.DigestMismatch.Code);
        error.Context.ShouldBe("f1");
        error.Parameters["expected"].ShouldBe(TestFiles.Digest(content));
        error.Parameters["found"].ShouldBe(TestFiles.Digest(server.Content));
        Directory.GetFiles(bed.Store, "*", SearchOption.AllDirectories).ShouldBeEmpty();
    }

    [Fact]
    public async Task Request_LargerThanTheDisk_FailsBeforeTheFirstByte()
    {
        await using var server = await FileServer.StartAsync(content);
        await using var bed = new DownloadBed();
        var free = new DriveInfo(bed.Store).AvailableFreeSpace;
        var file = DownloadBed.File(content, server.Url) with { SizeInBytes = free + (1L << 30) };

        var error = await bed.FailAsync(DownloadBed.Request(file));

        error.Code.ShouldBe(ErrorRegistry.NoSpace.Code);
        error.Parameters["needed"].ShouldBe($"{file.SizeInBytes}");
        long.Parse(error.Parameters["available"]).ShouldBeInRange(1, file.SizeInBytes - 1);
        server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Request_WhileRunning_PartHasItsWholeSizeAtOnce()
    {
        await using var server = await FileServer.StartAsync(content);
        var asked = new TaskCompletionSource();
        server.Misbehave = async (http, _) =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return true;
        };
        await using var bed = new DownloadBed(DownloadBed.Quick with { StallWindow = TimeSpan.FromSeconds(30) });

        await bed.SendAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));
        await asked.Task.WaitAsync(DownloadBed.Limit);

        new FileInfo(bed.PartOf(content)).Length.ShouldBe(content.Length);
    }
}
