namespace EdgeDm.FirmwareDownload.Tests;

public sealed class PlaceholderTests
{
    [Fact]
    public void Placeholder() => true.ShouldBeTrue();
}
