using System.Text.Json.Nodes;

namespace EdgeDm.Cli.Tests;

public sealed class TwinFitTests
{
    [Theory]
    [InlineData(TwinFit.MaxStringBytes, true)]
    [InlineData(TwinFit.MaxStringBytes + 1, false)]
    public void Require_StringAtTheLimit_Edge(int bytes, bool fits) =>
        Edge(new() { ["s"] = new string('x', bytes) }, fits);

    [Theory]
    [InlineData(TwinFit.MaxDesiredBytes, true)]
    [InlineData(TwinFit.MaxDesiredBytes + 1, false)]
    public void Require_WholeAtTheLimit_Edge(int bytes, bool fits)
    {
        var group = new JsonObject { ["number"] = 1, ["bool"] = true };
        // 6 + 8 for the number, 4 + 4 for the boolean, 2 for the key of each text.
        var left = bytes - 22;
        for (var i = 10; left > 0; i++)
        {
            var length = Math.Min(left - 2, 4000);
            group[$"{i}"] = new string('x', length);
            left -= length + 2;
        }
        Edge(group, fits);
    }

    private static void Edge(JsonObject group, bool fits)
    {
        if (fits)
        {
            TwinFit.Require(group);
        }
        else
        {
            Should.Throw<CliException>(() => TwinFit.Require(group)).Message.ShouldContain("--bundle");
        }
    }
}
