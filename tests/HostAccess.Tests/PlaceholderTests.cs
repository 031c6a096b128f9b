namespace EdgeDm.HostAccess.Tests;

public sealed class PlaceholderTests
{
    [Fact]
    public void Placeholder() => true.ShouldBeTrue();
}
