using System.Text;

namespace EdgeDm.Updates;

/// <summary>
/// One header block of a ustar archive (POSIX.1-1988), of a regular file and of nothing else. <c>TarReader</c> is not used for
/// reading: it follows pax and GNU extension headers, and allocates what such a header asks for before anything was verified.
/// </summary>
/// <param name="Name">The member's name.</param>
/// <param name="Size">Its bytes.</param>
internal readonly record struct UstarHeader(string Name, long Size)
{
    public const int BlockSize = 512;

    private const int ChecksumOffset = 148;
    private const int ChecksumLength = 8;

    /// <summary>Bytes that fill up the member's last block.</summary>
    public int Padding => (int)((BlockSize - Size % BlockSize) % BlockSize);

    /// <summary>Null for the block of zeros that ends an archive.</summary>
    public static UstarHeader? Parse(ReadOnlySpan<byte> block)
    {
        if (!block.ContainsAnyExcept((byte)0))
        {
            return null;
        }
        if (
            !block.Slice(257, 5).SequenceEqual("ustar"u8)
            || Octal(block.Slice(ChecksumOffset, ChecksumLength)) != Sum(block)
        )
        {
            throw UpdateBundle.Malformed("bundle", "The bundle is not a ustar archive, or a header of it is damaged.");
        }
        var name = Text(block[..100]);
        // '0' is a regular file; NUL is how the archives before ustar wrote it.
        if (block[156] is not ((byte)'0' or 0))
        {
            throw UpdateBundle.Malformed(
                name,
                $"'{name}' is not a plain file in plain ustar form; no links, folders or extended headers are allowed."
            );
        }
        if (block[345] != 0)
        {
            throw UpdateBundle.Malformed(name, $"'{name}' has a path.");
        }
        return new(name, Octal(block.Slice(124, 12)));
    }

    private static long Sum(ReadOnlySpan<byte> block)
    {
        var sum = 0L;
        for (var i = 0; i < BlockSize; i++)
        {
            sum += i is >= ChecksumOffset and < ChecksumOffset + ChecksumLength ? (byte)' ' : block[i];
        }
        return sum;
    }

    private static long Octal(ReadOnlySpan<byte> field)
    {
        var value = 0L;
        foreach (var digit in field.Trim(" \0"u8))
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                throw UpdateBundle.Malformed("bundle", "A number in a header of the bundle is not octal.");
            }
            value = value * 8 + (digit - '0');
        }
        return value;
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return Encoding.Latin1.GetString(end < 0 ? field : field[..end]);
    }
}
