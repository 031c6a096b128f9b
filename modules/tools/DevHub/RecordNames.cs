using System.Security.Cryptography;
using System.Text;

namespace EdgeDm.DevHub;

/// <summary>Names of records on disk. Ids may have characters that file names may not: readable letters for people, a hash for certainty.</summary>
internal static class RecordNames
{
    /// <summary>The name of a record.</summary>
    /// <param name="kind">Its first word.</param>
    /// <param name="readable">What people know it by.</param>
    /// <param name="id">What tells it from all others of its kind.</param>
    public static string Of(string kind, string readable, string id)
    {
        const int Readable = 64;
        const int HashCharacters = 16;
        var letters = string.Concat(readable.Where(char.IsAsciiLetterOrDigit).Take(Readable));
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)));
        return $"{kind}-{letters}-{hash[..HashCharacters]}";
    }
}
