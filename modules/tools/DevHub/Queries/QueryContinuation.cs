using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EdgeDm.DevHub.Queries;

/// <summary>The text of <c>x-ms-continuation</c>: where a query's answer goes on, good for that query alone.</summary>
internal static class QueryContinuation
{
    private const int HashCharacters = 16;
    private const char Separator = ' ';

    public static string Write(string query, QueryMark mark) =>
        Base64Url.EncodeToString(
            Encoding.UTF8.GetBytes(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{HashOf(query)}{Separator}{mark.Told}{Separator}{mark.Key}"
                )
            )
        );

    /// <summary>Reads what <see cref="Write"/> wrote; null when it is something else or of another query.</summary>
    public static QueryMark? Read(string query, string text)
    {
        if (!Base64Url.IsValid(text))
        {
            return null;
        }
        var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split(Separator, 3);
        return
            parts.Length == 3
            && parts[0] == HashOf(query)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var told)
            ? new(parts[2], told)
            : null;
    }

    private static string HashOf(string query) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(query)))[..HashCharacters];
}
