using System.Globalization;
using System.Runtime.InteropServices;

namespace EdgeDm.Contracts;

/// <summary>
/// Version of <see cref="HostApi"/>, told by each side in the header <see cref="Header"/> of every request and answer. A minor version
/// only adds: optional members and new paths. Two sides work together when they are at most one minor version apart.
/// </summary>
/// <param name="Major">Another one is another interface; it has its own path, <c>/v1</c>.</param>
/// <param name="Minor">Grows with every addition.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct HostApiVersion(int Major, int Minor)
{
    /// <summary>Names the speaker's version. The first landing did not send it and speaks 1.0.</summary>
    public const string Header = "EdgeDm-Api-Version";

    /// <summary>What these programs speak.</summary>
    public static HostApiVersion Current { get; } = new(1, 2);

    /// <summary>What a side speaks that does not say.</summary>
    public static HostApiVersion Unsaid { get; } = new(1, 0);

    /// <summary>Reads a header's text; null is <see cref="Unsaid"/>.</summary>
    public static bool TryParse(string? text, out HostApiVersion version)
    {
        version = Unsaid;
        if (text is null)
        {
            return true;
        }
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (dot < 0 || !Number(text.AsSpan(0, dot), out var major) || !Number(text.AsSpan(dot + 1), out var minor))
        {
            return false;
        }
        version = new(major, minor);
        return true;
    }

    /// <summary>True when both sides understand each other.</summary>
    public bool WorksWith(HostApiVersion other) => Major == other.Major && Math.Abs(Minor - other.Minor) <= 1;

    /// <summary>For example <c>1.1</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");

    private static bool Number(ReadOnlySpan<char> text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
