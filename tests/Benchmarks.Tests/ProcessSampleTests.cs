namespace EdgeDm.Benchmarks.Tests;

public sealed class ProcessSampleTests
{
    [Fact]
    public void Read_OwnProcess_IsPlausible()
    {
        var sample = ProcessSample.Read(Environment.ProcessId);

        sample.ProportionalBytes.ShouldBeInRange(1, sample.ResidentBytes);
        sample.Processor.ShouldBeGreaterThan(TimeSpan.Zero);
        sample.WrittenBytes.ShouldBeGreaterThanOrEqualTo(0);
    }

    [Fact]
    public void StartOf_OwnProcess_IsItsStart()
    {
        var start = ProcessSample.StartOf(Environment.ProcessId);

        using var process = System.Diagnostics.Process.GetCurrentProcess();
        start.UtcDateTime.ShouldBe(process.StartTime.ToUniversalTime(), TimeSpan.FromSeconds(5)); // .NET reckons with the boot time in whole seconds.
    }

    [Fact]
    public void Read_NoSuchProcess_SaysSo()
    {
        Should
            .Throw<BenchException>(() => ProcessSample.Read(int.MaxValue))
            .Message.ShouldContain("cannot be measured");
    }

    [Fact]
    public async Task ProcessorOfTree_ChildThatWorked_CountsItBeforeAndAfterItsEnd()
    {
        // A shell whose child works, tells so, waits for a line, and ends.
        using var shell = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(
                "bash",
                ["-c", $"bash -c '{Work}; echo worked; read -r _'; echo ended; read -r _"]
            )
            {
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            }
        )!;

        (await shell.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe("worked");
        var during = ProcessSample.ProcessorOfTree(shell.Id);
        await shell.StandardInput.WriteLineAsync();
        (await shell.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe("ended");
        var after = ProcessSample.ProcessorOfTree(shell.Id);
        await shell.StandardInput.WriteLineAsync();
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);

        during.ShouldBeGreaterThan(TimeSpan.FromMilliseconds(50));
        after.ShouldBeGreaterThan(during - TimeSpan.FromMilliseconds(20)); // Steps of 10 ms, of user and of system time.
    }

    private const string Work = "for ((i = 0; i < 200000; i++)); do :; done";
}
