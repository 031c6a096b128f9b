namespace EdgeDm.DevHub.Nested;

/// <summary>How much an edgeHub is told at once of the devices and modules in its scope.</summary>
/// <param name="DefaultPage">Identities in a page whose size the edgeHub does not say.</param>
/// <param name="LargestPage">Most that it may ask for (edgeHub's 1,000).</param>
public sealed record ScopeLimits(int DefaultPage = 100, int LargestPage = 1000);
