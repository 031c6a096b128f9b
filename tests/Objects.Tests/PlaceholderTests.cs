namespace EdgeDm.Objects.Tests;

public sealed class PlaceholderTests
{
    [Fact]
    public void Placeholder() => true.ShouldBeTrue();
}
