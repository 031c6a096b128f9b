namespace EdgeDm.HostAccess.Hosts.Linux;

/// <summary>
/// What the firmware tells of the hardware, as the kernel shows it: SMBIOS in <c>/sys/class/dmi/id</c>, or a device tree. Null where it is
/// silent, and where it says what boards say whose maker filled nothing in.
/// </summary>
/// <param name="root">Root of the file system.</param>
internal sealed class HardwareFiles(string root)
{
    private const int LongestText = 256;
    private const string Dmi = "sys/class/dmi/id";

    /// <summary>Container engines hide the kernel's own, so an OEM may mount it elsewhere.</summary>
    private static readonly string[] DeviceTrees = ["run/host/device-tree", "proc/device-tree"];

    private static readonly string[] Fillers =
    [
        "to be filled by o.e.m",
        "default string",
        "system manufacturer",
        "system product name",
        "system version",
        "system serial number",
        "not specified",
        "not applicable",
        "none",
        "n/a",
        "unknown",
        "0123456789",
        "0",
    ];

    /// <summary>A device tree names the maker ahead of the comma of its first <c>compatible</c>.</summary>
    public string? Manufacturer => ReadDmi("sys_vendor") ?? Clean(ReadTree("compatible")?.Split(',')[0]);

    public string? Model => ReadDmi("product_name") ?? ReadTree("model");

    public string? SerialNumber => ReadDmi("product_serial") ?? ReadTree("serial-number");

    public string? HardwareVersion => ReadDmi("product_version");

    /// <summary>The text, or null when it says nothing.</summary>
    public static string? Clean(string? text)
    {
        var trimmed = text?.Trim().TrimEnd('.');
        return
            string.IsNullOrEmpty(trimmed) || Fillers.Contains(trimmed.ToLowerInvariant()) || trimmed.Any(char.IsControl)
            ? null
            : text!.Trim();
    }

    private string? ReadDmi(string name) => ReadFile(Path.Combine(root, Dmi, name));

    private string? ReadTree(string name) =>
        DeviceTrees.Select(tree => ReadFile(Path.Combine(root, tree, name))).FirstOrDefault(text => text is not null);

    /// <summary>Texts of a device tree end with the byte 0, and a list has one behind each.</summary>
    private static string? ReadFile(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var bytes = new byte[LongestText];
            var count = file.ReadAtLeast(bytes, LongestText, throwOnEndOfStream: false);
            return Clean(System.Text.Encoding.UTF8.GetString(bytes, 0, count).Split('\0')[0]);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null; // Not there, or not for us to read: the firmware tells nothing.
        }
    }
}
