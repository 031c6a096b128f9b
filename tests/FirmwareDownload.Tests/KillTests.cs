using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.Durable;
using EdgeDm.FirmwareDownload.Tests.Support;

namespace EdgeDm.FirmwareDownload.Tests;

/// <summary>
/// A real process, killed by SIGKILL at each place where the disk changes, and then started again: the file arrives, and
/// at most one checkpoint is fetched twice. The server counts.
/// </summary>
public sealed class KillTests : IDisposable
{
    private const int Size = 1_500_000;

    /// <summary>What the kernel's socket buffers may hold when the process dies: sent, but received by nobody.</summary>
    private const int InFlight = 400_000;

    private readonly string folder = Directory.CreateTempSubdirectory("edgedm-kill-").FullName;
    private readonly byte[] content = TestFiles.Make(Size);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>The record of an earlier part is removed at the beginning, that of this one at the end.</summary>
    [Theory]
    [InlineData("download.record.before", 1, 0)]
    [InlineData("download.record.after", 1, 0)]
    [InlineData("download.checkpoint.remove.before", 1, 0)]
    [InlineData("download.checkpoint.remove.after", 1, 0)]
    [InlineData("download.data.before", 3, 2)]
    [InlineData("download.data.after", 3, 2)]
    [InlineData("download.checkpoint.before", 3, 2)]
    [InlineData("download.checkpoint.after", 3, 3)]
    [InlineData("download.finish.before", 1, null)]
    [InlineData("download.finish.after", 1, null)]
    [InlineData("download.checkpoint.remove.before", 2, null)]
    [InlineData("download.checkpoint.remove.after", 2, null)]
    [InlineData("download.record.before", 2, null)]
    [InlineData("download.record.after", 2, null)]
    public async Task Restart_AfterKillAtFailpoint_FetchesAtMostOneCheckpointTwice(
        string failpoint,
        int passage,
        int? checkpoints
    )
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "SIGKILL.");
        await using var server = await StartServerAsync();
        var request = WriteRequest(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        FailpointFolder.Arm(FailpointsPath, failpoint, passage);
        using (var killed = StartHost(request))
        {
            await killed.WaitForExitAsync().WaitAsync(DownloadBed.Limit);
            killed.ExitCode.ShouldBe(128 + 9);
        }
        var sentBefore = server.BytesSent;
        var requestsBefore = server.Requests.Count;
        var (id, completed) = await FinishAsync(request);

        (await File.ReadAllBytesAsync(StoredPath)).ShouldBe(content);
        Directory.GetFiles(Path.Combine(folder, "store", "partial")).ShouldBeEmpty();
        id.ShouldBe("download-job-1-1-completed");
        completed.Bytes.Total.ShouldBe(Size);
        if (checkpoints is { } kept)
        {
            var from = server.Requests[requestsBefore].Range;
            Start(from).ShouldBeGreaterThanOrEqualTo(kept * (long)KillHost.CheckpointBytes);
            (server.BytesSent - Size).ShouldBeLessThanOrEqualTo(
                kept == 0 ? sentBefore : KillHost.CheckpointBytes + InFlight
            );
        }
        else
        {
            server.Requests.Count.ShouldBe(requestsBefore); // All bytes were there; only the end had to be told.
        }
    }

    [Fact]
    public async Task Restart_KilledWhenHalfWasSent_SendsAtMostOneCheckpointTwice()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "SIGKILL.");
        await using var server = await StartServerAsync();
        var request = WriteRequest(DownloadBed.Request(DownloadBed.File(content, server.Url)));
        var half = new TaskCompletionSource();
        var pace = server.Pace;
        server.Pace = async (sent, cancel) =>
        {
            await pace(sent, cancel);
            if (sent >= Size / 2 && half.TrySetResult())
            {
                await Task.Delay(Timeout.Infinite, cancel);
            }
        };

        using (var killed = StartHost(request))
        {
            await half.Task.WaitAsync(DownloadBed.Limit);
            killed.Kill();
            await killed.WaitForExitAsync().WaitAsync(DownloadBed.Limit);
        }
        await FinishAsync(request);

        (await File.ReadAllBytesAsync(StoredPath)).ShouldBe(content);
        server.BytesSent.ShouldBeLessThanOrEqualTo(Size + KillHost.CheckpointBytes + InFlight);
    }

    private string StoredPath => Path.Combine(folder, "store", "sha256", TestFiles.Digest(content));

    private string FailpointsPath => Path.Combine(folder, "failpoints");

    private async Task<FileServer> StartServerAsync()
    {
        var server = await FileServer.StartAsync(content);
        server.Pace = async (sent, cancel) =>
        {
            if (sent % (64 * 1024) == 0)
            {
                await Task.Delay(5, cancel); // A link, not a memory copy: else all would lie in socket buffers at once.
            }
        };
        return server;
    }

    private string WriteRequest(DownloadRequest request)
    {
        var path = Path.Combine(folder, "request.json");
        File.WriteAllText(path, JsonSerializer.Serialize(request, ContractsJson.Default.DownloadRequest));
        return path;
    }

    private Process StartHost(string request)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "EdgeDm.FirmwareDownload.Tests");
        var start = new ProcessStartInfo(program)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (
            var argument in (string[])
                [KillHost.SubCommand, Path.Combine(folder, "data"), Path.Combine(folder, "store"), request]
        )
        {
            start.ArgumentList.Add(argument);
        }
        Directory.CreateDirectory(FailpointsPath);
        start.Environment[FailpointFolder.Variable] = FailpointsPath;
        return Process.Start(start)!;
    }

    private async Task<(string MessageId, DownloadCompleted Completed)> FinishAsync(string request)
    {
        using var process = StartHost(request);
        var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(DownloadBed.Limit);
        await process.WaitForExitAsync().WaitAsync(DownloadBed.Limit);
        process.ExitCode.ShouldBe(0, await process.StandardError.ReadToEndAsync());
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return (lines[0], JsonSerializer.Deserialize(lines[1], ContractsJson.Default.DownloadCompleted)!);
    }

    private static long Start(string range) =>
        range.Length == 0 ? 0 : long.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture);
}
