using System.Buffers;
using System.Buffers.Text;

namespace EdgeDm.Updates;

/// <summary>Base64 as it is found in the field: standard or URL alphabet, padded or not, but never with white space.</summary>
internal static class Base64Text
{
    /// <summary>Decodes either alphabet; false when it is neither or does not fit.</summary>
    public static bool TryDecode(string text, Span<byte> destination, out int length)
    {
        length = 0;
        var canonical = text.TrimEnd('=');
        if (text.Length - canonical.Length > 2 || canonical.Any(c => !IsDigit(c)))
        {
            return false;
        }
        return Base64Url.DecodeFromChars(canonical.Replace('+', '-').Replace('/', '_'), destination, out _, out length)
            == OperationStatus.Done;
    }

    /// <summary>Decodes either alphabet; null when it is neither or has more than <paramref name="mostBytes"/>.</summary>
    public static byte[]? Decode(string text, int mostBytes)
    {
        var buffer = new byte[mostBytes];
        return TryDecode(text, buffer, out var length) ? buffer[..length] : null;
    }

    /// <summary>Decodes a JWS segment: the URL alphabet without padding, and nothing else (RFC 7515, section 2).</summary>
    public static byte[]? DecodeSegment(string text, int mostBytes) =>
        text.All(c => IsDigit(c) && c is not ('+' or '/')) ? Decode(text, mostBytes) : null;

    private static bool IsDigit(char c) => char.IsAsciiLetterOrDigit(c) || c is '+' or '/' or '-' or '_';
}
