using System.Globalization;

namespace EdgeDm.Cli;

/// <summary>Byte counts for people.</summary>
internal static class ByteText
{
    private const double Kibi = 1024;
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>For example <c>25.6 MiB</c>.</summary>
    public static string Of(long bytes)
    {
        var unit = 0;
        var value = (double)bytes;
        while (value >= Kibi && unit < Units.Length - 1)
        {
            value /= Kibi;
            unit++;
        }
        return unit == 0 ? $"{bytes} B" : string.Create(CultureInfo.InvariantCulture, $"{value:0.0} {Units[unit]}");
    }
}
