using System.Text.Json.Nodes;
using EdgeDm.DevHub.Agent;
using EdgeDm.DevHub.Launching;

namespace EdgeDm.DevHub.Tests.Agent;

public sealed class LogFilterTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("90s", 2)]
    [InlineData("10m", 3)]
    [InlineData("2h", 4)]
    [InlineData("1d", 5)]
    [InlineData("1 day", 5)]
    [InlineData("2026-01-31T11:55:00Z", 3)]
    [InlineData("1769860500", 3)] // 11:55
    public void Since_EveryForm_GivesWhatIsNewer(string since, int count)
    {
        LogLine[] lines =
        [
            .. new[] { 86_400, 7_000, 300, 60, 0 }.Select(ago => new LogLine($"{ago}", 6, Now.AddSeconds(-ago))),
        ];

        LogFilter.Of(new() { ["since"] = since }, Now).Apply(lines).Count.ShouldBe(count);
    }

    [Theory]
    [InlineData("""{"tail":-1}""", "'tail'")]
    [InlineData("""{"tail":"5"}""", "'tail'")]
    [InlineData("""{"loglevel":8}""", "'loglevel'")]
    [InlineData("""{"since":"yesterday-ish"}""", "'since'")]
    [InlineData("""{"until":true}""", "'until'")]
    [InlineData("""{"regex":"("}""", "no regular expression")]
    public void Filter_Wrong_SaysWhichMember(string filter, string what) =>
        Should
            .Throw<FormatException>(() => LogFilter.Of(JsonNode.Parse(filter)!.AsObject(), Now))
            .Message.ShouldContain(what);
}
