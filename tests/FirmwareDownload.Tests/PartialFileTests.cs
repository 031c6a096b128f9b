using EdgeDm.Durable;
using EdgeDm.FirmwareDownload.Store;
using EdgeDm.FirmwareDownload.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.FirmwareDownload.Tests;

public sealed class PartialFileTests : IDisposable
{
    private const int Piece = 16 * 1024;
    private readonly string folder = Directory.CreateTempSubdirectory("edgedm-part-").FullName;
    private readonly byte[] content = TestFiles.Make(4 * 1024 * 1024);

    private string RecordPath => Path.Combine(folder, "x.json");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Append_ManyPieces_AllocatesNothing()
    {
        using var part = Open(checkpointBytes: long.MaxValue);
        await part.ResumeAsync(default);
        part.Reserve();
        part.Append(content.AsSpan(0, Piece));
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var at = Piece; at < content.Length; at += Piece)
        {
            part.Append(content.AsSpan(at, Piece));
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(4096);
        part.Seal().ShouldBe(TestFiles.Digest(content));
    }

    [Theory]
    [InlineData(64 * 1024 - 1, false)]
    [InlineData(64 * 1024, true)]
    public async Task Append_CheckpointBytesReached_IsRecorded(int bytes, bool recorded)
    {
        using var part = Open(checkpointBytes: 64 * 1024);
        await part.ResumeAsync(default);
        part.Begin(new("\"v1\"", null, content.Length));

        part.Append(content.AsSpan(0, bytes));

        File.Exists(RecordPath).ShouldBe(recorded);
    }

    [Fact]
    public async Task Append_CheckpointIntervalPassed_IsRecorded()
    {
        var clock = new Testing.FakeTimeProvider();
        using var part = Open(checkpointBytes: long.MaxValue, clock);
        await part.ResumeAsync(default);
        part.Begin(new("\"v1\"", null, content.Length));
        part.Append(content.AsSpan(0, 10));
        File.Exists(RecordPath).ShouldBeFalse();

        clock.Advance(DownloadOptions.Default.CheckpointInterval);
        part.Append(content.AsSpan(10, 10));

        File.Exists(RecordPath).ShouldBeTrue();
    }

    [Fact]
    public async Task Resume_BytesBehindTheCheckpoint_DoNotCount()
    {
        using (var part = Open(checkpointBytes: long.MaxValue))
        {
            await part.ResumeAsync(default);
            part.Begin(new("\"v1\"", null, content.Length));
            part.Append(content.AsSpan(0, 1000));
            part.Checkpoint();
            part.Append(new byte[500]);
        }

        using var again = Open(checkpointBytes: long.MaxValue);
        (await again.ResumeAsync(default)).ShouldNotBeNull().Length.ShouldBe(1000);
        again.Append(content.AsSpan(1000));

        again.IsWhole.ShouldBeTrue();
        again.Seal().ShouldBe(TestFiles.Digest(content));
    }

    private PartialFile Open(long checkpointBytes, TimeProvider? time = null) =>
        new(
            Path.Combine(folder, "x.part"),
            content.Length,
            new DurableRecord<PartialCheckpoint>(
                RecordPath,
                DownloadJson.Default.PartialCheckpoint,
                failpoint: null,
                NullLogger.Instance
            ),
            DownloadOptions.Default with
            {
                CheckpointBytes = checkpointBytes,
            },
            time ?? TimeProvider.System
        );
}
