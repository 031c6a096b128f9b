using FsCheck;
using FsCheck.Fluent;

namespace EdgeDm.Updates.Tests;

public sealed class DottedVersionTests
{
    private static readonly Arbitrary<DottedVersion> Versions = Gen.Choose(0, 12)
        .ArrayOf()
        .Where(parts => parts.Length is > 0 and <= DottedVersion.MaxParts)
        .Select(parts => DottedVersion.Parse(string.Join('.', parts)))
        .ToArbitrary();

    [Theory]
    [InlineData("1", "2")]
    [InlineData("1.9", "1.10")]
    [InlineData("1.2", "1.2.0.1")]
    [InlineData("0.99.99", "1")]
    [InlineData("1.2.3", "1.2.9223372036854775807")]
    public void CompareTo_OlderAndNewer_OrdersByNumbers(string older, string newer)
    {
        (DottedVersion.Parse(older) < DottedVersion.Parse(newer)).ShouldBeTrue();
        (DottedVersion.Parse(newer) <= DottedVersion.Parse(older)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("1.2", "1.2.0")]
    [InlineData("01.2", "1.02")]
    [InlineData("0", "0.0.0")]
    public void Equals_MissingNumbersAndLeadingZeros_AreEqual(string left, string right)
    {
        (DottedVersion.Parse(left) == DottedVersion.Parse(right)).ShouldBeTrue();
        DottedVersion.Parse(left).GetHashCode().ShouldBe(DottedVersion.Parse(right).GetHashCode());
    }

    [Theory]
    [InlineData("")]
    [InlineData("1.")]
    [InlineData(".1")]
    [InlineData("1..2")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1.2\n")]
    [InlineData("1,2")]
    [InlineData("v1")]
    [InlineData("1.0-beta")]
    [InlineData("٣")]
    [InlineData("9223372036854775808")]
    [InlineData("1.2.3.4.5.6.7.8.9")]
    public void TryParse_NoVersion_Refuses(string text) => DottedVersion.TryParse(text, out _).ShouldBeFalse();

    [Theory]
    [InlineData(DottedVersion.MaxLength, true)]
    [InlineData(DottedVersion.MaxLength + 1, false)]
    public void TryParse_AtItsLongest_Edge(int length, bool accepted) =>
        DottedVersion.TryParse(new string('0', length), out _).ShouldBe(accepted);

    [Fact]
    public void CompareTo_AnyThree_IsATotalOrder() =>
        Check.QuickThrowOnFailure(
            Prop.ForAll(
                Versions,
                Versions,
                Versions,
                (a, b, c) =>
                    Math.Sign(a.CompareTo(b)) == -Math.Sign(b.CompareTo(a))
                    && (a.CompareTo(b) > 0 || b.CompareTo(c) > 0 || a.CompareTo(c) <= 0)
                    && (!a.Equals(b) || a.GetHashCode() == b.GetHashCode())
                    && a.CompareTo(a) == 0
            )
        );

    [Fact]
    public void ToString_AnyVersion_ReadsBackTheSame() =>
        Check.QuickThrowOnFailure(
            Prop.ForAll(Versions, version => DottedVersion.Parse(version.ToString()).Parts.SequenceEqual(version.Parts))
        );
}
