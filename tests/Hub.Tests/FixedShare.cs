namespace EdgeDm.Hub.Tests;

/// <summary>Randomness that always gives the same share.</summary>
internal sealed class FixedShare(double value) : Random
{
    public override double NextDouble() => value;
}
