namespace EdgeDm.Benchmarks.Tests;

public sealed class BenchCommandTests
{
    [Theory]
    [InlineData("footprint", "--check", "--rounds", "4")]
    [InlineData("footprint", "--rounds", "0")]
    [InlineData("footprint", "--idle-seconds", "0")]
    [InlineData("footprint", "--idle-seconds", "86401")]
    [InlineData("session", "--only", "B1,B99")]
    [InlineData("nonsense")]
    public async Task Run_WrongArguments_EndsWithTwoAndMeasuresNothing(params string[] arguments) =>
        (await BenchCommand.RunAsync(arguments)).ShouldBe(2);

    [Fact]
    public async Task Run_WithoutName_ListsTheBenches() => (await BenchCommand.RunAsync([])).ShouldBe(0);
}
