namespace EdgeDm.HostAccess.Hosts.Linux.DBus;

/// <summary>What may stand in the texts of a message (D-Bus Specification, "Valid Names", "Valid Object Paths").</summary>
internal static class DBusNames
{
    /// <summary>The bus itself.</summary>
    public const string Bus = "org.freedesktop.DBus";

    /// <summary>The bus's object.</summary>
    public const string BusPath = "/org/freedesktop/DBus";

    /// <summary>Interface of every object's properties.</summary>
    public const string Properties = "org.freedesktop.DBus.Properties";

    private const int LongestName = 255;

    /// <summary>True for <c>/</c> and for names of letters, digits and '_' behind a slash each.</summary>
    public static bool IsPath(string text)
    {
        if (text.Length == 0 || text[0] != '/')
        {
            return false;
        }
        if (text.Length == 1)
        {
            return true;
        }
        var slash = true;
        foreach (var c in text.AsSpan(1))
        {
            if (c == '/' ? slash : !char.IsAsciiLetterOrDigit(c) && c != '_')
            {
                return false;
            }
            slash = c == '/';
        }
        return !slash;
    }

    /// <summary>
    /// True for what a name of a bus, interface, member or error may consist of. The grammar of each is the peer's business; here it
    /// matters that nothing else can hide in a match rule or a log line.
    /// </summary>
    public static bool IsName(string text) =>
        text.Length is > 0 and <= LongestName
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' or ':');
}
