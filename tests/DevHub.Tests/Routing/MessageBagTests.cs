using EdgeDm.DevHub.Routing;

namespace EdgeDm.DevHub.Tests.Routing;

// A message's properties.
public sealed class MessageBagTests
{
    [Fact]
    public void Of_AnyOrder_StandsInTheOrderOfTheNamesAndTheLastOfEqualNamesCounts()
    {
        var bag = MessageBag.Of([new("b", "1"), new("B", "2"), new("a", "3"), new("b", "4"), new("", "5")]);
        bag.Select(p => $"{p.Key}={p.Value}").ShouldBe(["=5", "B=2", "a=3", "b=4"]);
        bag.Count.ShouldBe(4);
        bag.Size.ShouldBe(3 + 4);
    }

    [Fact]
    public void With_Without_LeaveTheBagItself()
    {
        var bag = MessageBag.Empty.With("b", "1").With("a", "2");
        bag.With("b", "3")["b"].ShouldBe("3");
        bag.With("c", "3").Count.ShouldBe(3);
        bag.Without("a", "x").Select(p => p.Key).ShouldBe(["b"]);
        bag["b"].ShouldBe("1");
        bag.Count.ShouldBe(2);
        MessageBag.Empty.Count.ShouldBe(0);
    }

    [Fact]
    public void Name_NotThere_IsNull()
    {
        var bag = MessageBag.Of([new("a", ""), new("c", "2")]);
        foreach (var name in new[] { "", "A", "b", "d" })
        {
            bag[name].ShouldBeNull();
            bag.TryGetValue(name, out _).ShouldBeFalse();
        }
        bag.TryGetValue("a", out var value).ShouldBeTrue();
        value.ShouldBe("");
    }

    [Fact]
    public void Of_ManyInRandomOrder_AreAllFound()
    {
        var names = Enumerable.Range(0, 1_000).Select(i => $"n{i}").ToArray();
        new Random(1).Shuffle(names);
        var bag = MessageBag.Of(names.Select(name => KeyValuePair.Create(name, name)));
        names.ShouldAllBe(name => bag[name] == name);
        bag.Select(p => p.Key).ShouldBe(names.Order(StringComparer.Ordinal));
    }
}
