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
}
