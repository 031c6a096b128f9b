namespace EdgeDm.EndToEnd.Tests;

public sealed class PlaceholderTests
{
    [Fact]
    public void Placeholder() => true.ShouldBeTrue();
}
