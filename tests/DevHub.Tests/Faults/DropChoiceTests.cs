using EdgeDm.DevHub.Faults;
using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Tests.Faults;

public sealed class DropChoiceTests
{
    private const int Packets = 1000;

    private static readonly HubIdentity A = new("gateway", "a");
    private static readonly HubIdentity B = new("gateway", "b");

    [Fact]
    public void Share_SameSeed_IsTheSameForAClientWhateverOthersDo()
    {
        var alone = SequenceOf(DropChoice.OfShare(0.3, seed: 7), A);
        var choice = DropChoice.OfShare(0.3, seed: 7);
        var among = Enumerable
            .Range(0, Packets)
            .Select(_ =>
            {
                choice.Takes(B);
                return choice.Takes(A);
            });

        among.ShouldBe(alone);
        SequenceOf(DropChoice.OfShare(0.3, seed: 8), A).ShouldNotBe(alone);
        SequenceOf(DropChoice.OfShare(0.3, seed: 7), B).ShouldNotBe(alone);
    }

    [Fact]
    public void Share_OfMany_IsAboutThatMany()
    {
        var choice = DropChoice.OfShare(0.3, seed: 1);
        SequenceOf(choice, A);
        choice.Dropped.ShouldBeInRange(250, 350);
        (choice.Dropped + choice.Passed).ShouldBe(Packets);
        SequenceOf(DropChoice.OfShare(1, seed: 1), A).ShouldAllBe(taken => taken);
    }

    [Fact]
    public void Next_OverAllClients_TakesSoManyAndNoMore()
    {
        var choice = DropChoice.OfNext(2);
        choice.Takes(A).ShouldBeTrue();
        choice.Takes(B).ShouldBeTrue();
        choice.Takes(A).ShouldBeFalse();
        choice.Dropped.ShouldBe(2);
        choice.Passed.ShouldBe(1);
    }

    private static bool[] SequenceOf(DropChoice choice, HubIdentity client) =>
        [.. Enumerable.Range(0, Packets).Select(_ => choice.Takes(client))];
}
