using EdgeDm.Benchmarks.Session;

namespace EdgeDm.Benchmarks.Tests;

public sealed class DeliveryTests
{
    [Fact]
    public void Of_NumbersWithAGapAndRepeats_CountsBoth() =>
        Outcome.Of([0, 1, 1, 4, 1, 3], 5, 1.5).ShouldBe(new(Lost: 1, Duplicated: 2, LongestGap: 1.5));

    [Fact]
    public void In_LineThatAKillCutOff_CountsWhatBothHubsWrote()
    {
        string[] lines =
        [
            Line(0),
            Line(1)[..^20] + Line(2), // The first hub's last line has no end.
            Line(1),
            """{"kind":"reported","patch":{"messageId":"m5"}}""",
        ];

        Numbers.In(lines).ShouldBe([0, 1, 2, 1]);
    }

    private static string Line(int number) =>
        $$$"""{"kind":"message","source":"/messages/modules/Ours/outputs/up","message":{"systemProperties":{"messageId":"n{{{number}}}"},"properties":{},"bodyBase64":"AAAAAAAAAAAA"}}""";
}
