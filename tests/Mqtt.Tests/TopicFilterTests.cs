namespace EdgeDm.Mqtt.Tests;

public sealed class TopicFilterTests
{
    [Theory]
    [InlineData("a/b", "a/b", true)]
    [InlineData("a/b", "a/B", false)]
    [InlineData("a/b", "a", false)]
    [InlineData("a", "a/b", false)]
    [InlineData("a/#", "a/b/c", true)]
    [InlineData("a/#", "a/", true)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "ab", false)]
    [InlineData("#", "a/b", true)]
    [InlineData("#", "$iothub/twin/res/200/", false)]
    [InlineData("+/twin", "$iothub/twin", false)]
    [InlineData("$iothub/#", "$iothub/twin", true)]
    [InlineData("a/+/c", "a/b/c", true)]
    [InlineData("a/+/c", "a//c", true)]
    [InlineData("a/+/c", "a/b/d", false)]
    [InlineData("a/+", "a/b/c", false)]
    [InlineData("a/+", "a", false)]
    [InlineData("+", "a", true)]
    [InlineData("+/+", "/a", true)]
    [InlineData("+", "/a", false)]
    [InlineData("+/#", "a", true)]
    [InlineData("a/+/#", "a", false)]
    public void Matches_AsTheSpecificationSays(string filter, string topic, bool matches) =>
        TopicFilter.Matches(filter, topic).ShouldBe(matches);

    [Theory]
    [InlineData("a/b", true)]
    [InlineData("/", true)]
    [InlineData("#", true)]
    [InlineData("+/+/#", true)]
    [InlineData("a/+/b", true)]
    [InlineData("", false)]
    [InlineData("a#", false)]
    [InlineData("#/a", false)]
    [InlineData("a/b+", false)]
    [InlineData("+a", false)]
    public void IsValid_AsTheSpecificationSays(string filter, bool valid) =>
        TopicFilter.IsValid(filter).ShouldBe(valid);
}
