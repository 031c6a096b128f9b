namespace EdgeDm.Durable.Tests;

public sealed class PlaceholderTests
{
    [Fact]
    public void Placeholder() => true.ShouldBeTrue();
}
