using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace EdgeDm.Updates;

/// <summary>
/// An update's version: whole numbers parted by dots, compared number by number. Missing numbers count as 0, so
/// <c>1.2</c> equals <c>1.2.0</c> and is older than <c>1.10</c>. This is Device Update's order of versions.
/// </summary>
public sealed class DottedVersion : IComparable<DottedVersion>, IEquatable<DottedVersion>
{
    /// <summary>Most characters of the text; Device Update's own limit.</summary>
    public const int MaxLength = 64;

    /// <summary>Most numbers. Device Update takes 2 to 4; more hurt nobody.</summary>
    public const int MaxParts = 8;

    private readonly string text;

    private DottedVersion(string text, ImmutableArray<long> parts)
    {
        this.text = text;
        Parts = parts;
    }

    /// <summary>The numbers, as many as the text has.</summary>
    public ImmutableArray<long> Parts { get; }

    /// <summary>Reads a version; throws <see cref="FormatException"/> for anything else.</summary>
    public static DottedVersion Parse(string text) =>
        TryParse(text, out var version)
            ? version
            : throw new FormatException(
                $"A version is 1 to {MaxParts} whole numbers parted by dots, at most {MaxLength} characters, for example 1.2.0."
            );

    /// <summary>Reads a version, or says that the text is none. Signs, spaces and empty numbers are none.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out DottedVersion? version)
    {
        version = null;
        if (text is null || text.Length is 0 or > MaxLength)
        {
            return false;
        }
        var words = text.Split('.');
        if (words.Length > MaxParts)
        {
            return false;
        }
        var parts = ImmutableArray.CreateBuilder<long>(words.Length);
        foreach (var word in words)
        {
            if (!long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var part))
            {
                return false;
            }
            parts.Add(part);
        }
        version = new(text, parts.MoveToImmutable());
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(DottedVersion? other)
    {
        if (other is null)
        {
            return 1;
        }
        for (var i = 0; i < Math.Max(Parts.Length, other.Parts.Length); i++)
        {
            var order = PartAt(i).CompareTo(other.PartAt(i));
            if (order != 0)
            {
                return order;
            }
        }
        return 0;
    }

    /// <inheritdoc/>
    public bool Equals(DottedVersion? other) => CompareTo(other) == 0;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is DottedVersion other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var significant = Parts.Length;
        while (significant > 0 && Parts[significant - 1] == 0)
        {
            significant--;
        }
        var hash = new HashCode();
        for (var i = 0; i < significant; i++)
        {
            hash.Add(Parts[i]);
        }
        return hash.ToHashCode();
    }

    /// <summary>The text as it was read.</summary>
    public override string ToString() => text;

    public static bool operator ==(DottedVersion? left, DottedVersion? right) =>
        left is null ? right is null : left.Equals(right);

    public static bool operator !=(DottedVersion? left, DottedVersion? right) => !(left == right);

    public static bool operator <(DottedVersion left, DottedVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(DottedVersion left, DottedVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(DottedVersion left, DottedVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(DottedVersion left, DottedVersion right) => left.CompareTo(right) >= 0;

    private long PartAt(int index) => index < Parts.Length ? Parts[index] : 0;
}
