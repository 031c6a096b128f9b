namespace EdgeDm.EndToEnd.Tests.ClearEnds;

/// <summary>Classes that share one gateway, one test after the other.</summary>
[CollectionDefinition(Name)]
public sealed class TroubledGatewayCollection : ICollectionFixture<TroubledGateway>
{
    public const string Name = "one troubled gateway";
}
