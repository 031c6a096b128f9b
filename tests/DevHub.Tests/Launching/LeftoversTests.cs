using EdgeDm.DevHub.Launching;
using EdgeDm.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.DevHub.Tests.Launching;

/// <summary>What a killed dev hub leaves running, seen by the next one.</summary>
public sealed class LeftoversTests : IDisposable
{
    private static readonly Dictionary<string, string> NoEnvironment = [];

    private readonly TemporaryFolder folder = new();
    private readonly SpawnedProcess left = SpawnedProcess.Start("/bin/sh", ["-c", "sleep 600 & wait"], NoEnvironment);

    public void Dispose()
    {
        left.Signal(Signal.Kill);
        ProcessTable
            .KillAllAsync(() => ProcessTable.Family(new HashSet<int> { left.Id }, new HashSet<int>()))
            .GetAwaiter()
            .GetResult();
        left.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task EndLeftovers_ProcessThatWasNoted_IsEndedWithItsChildren()
    {
        Note(left.StartTime);

        await ProcessRuntime.EndLeftoversAsync(folder.Path, NullLogger.Instance);

        await left.Ended.WaitAsync(TimeSpan.FromSeconds(20));
        ProcessTable.Family(new HashSet<int> { left.Id }, new HashSet<int>()).ShouldBeEmpty();
    }

    [Fact]
    public async Task EndLeftovers_IdThatBecameAnothers_IsLeftAlone()
    {
        Note(left.StartTime - 1);

        await ProcessRuntime.EndLeftoversAsync(folder.Path, NullLogger.Instance);

        ProcessTable.Find(left.Id)!.IsAlive.ShouldBeTrue();
    }

    [Fact]
    public async Task EndLeftovers_NotedBeforeThisBoot_IsLeftAlone()
    {
        Note(left.StartTime);
        var file = folder.File("launched.json");
        await File.WriteAllTextAsync(
            file,
            (await File.ReadAllTextAsync(file)).Replace(ProcessTable.BootId, "another", StringComparison.Ordinal)
        );

        await ProcessRuntime.EndLeftoversAsync(folder.Path, NullLogger.Instance);

        ProcessTable.Find(left.Id)!.IsAlive.ShouldBeTrue();
    }

    [Fact]
    public async Task EndLeftovers_DamagedOrNoRecord_DoesNothing()
    {
        await ProcessRuntime.EndLeftoversAsync(folder.Path, NullLogger.Instance);
        folder.Write("launched.json", "{");

        await ProcessRuntime.EndLeftoversAsync(folder.Path, NullLogger.Instance);

        ProcessTable.Find(left.Id)!.IsAlive.ShouldBeTrue();
    }

    [Fact]
    public void Take_FolderOfARunningHub_IsRefused()
    {
        using (DataFolderLock.Take(folder.Path))
        {
            Should
                .Throw<MisconfiguredException>(() => DataFolderLock.Take(folder.Path))
                .Message.ShouldContain("Another dev hub");
        }
        DataFolderLock.Take(folder.Path).Dispose();
    }

    private void Note(long startTime) =>
        new LaunchRecord(folder.Path, NullLogger.Instance).Set("A", [new(left.Id, startTime)]);
}
