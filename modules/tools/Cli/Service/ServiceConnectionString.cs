using System.Globalization;

namespace EdgeDm.Cli;

/// <summary><c>HostName=host[:port];SharedAccessKeyName=policy;SharedAccessKey=base64</c>. Its text form shows no key.</summary>
/// <param name="Host">The hub's name, without port.</param>
/// <param name="Port">HTTPS port.</param>
/// <param name="PolicyName">For example <c>iothubowner</c>.</param>
/// <param name="Key">The policy's key.</param>
internal sealed record ServiceConnectionString(string Host, int Port, string PolicyName, byte[] Key)
{
    public const int DefaultPort = 443;

    private const int LongestFile = 8 * 1024;

    /// <summary>Finds it: the option, the variable with a file's name, the variable with the text.</summary>
    public static ServiceConnectionString Find(string? fileOption, CliEnvironment environment)
    {
        var file = fileOption ?? environment.Find(CliEnvironment.ConnectionStringFile);
        var (text, source) = file is not null
            ? (ReadFile(file), $"'{file}'")
            : (environment.Find(CliEnvironment.ConnectionString), CliEnvironment.ConnectionString);
        return text is null
            ? throw new CliException(
                ExitCodes.Usage,
                $"No connection string: name its file with --connection-string-file or {CliEnvironment.ConnectionStringFile}, or set {CliEnvironment.ConnectionString}."
            )
            : Parse(text, source, environment.Find(CliEnvironment.HttpsPort));
    }

    /// <summary>Reads the text. Messages name the part that is wrong and never its value.</summary>
    /// <param name="text">The connection string.</param>
    /// <param name="source">Where it came from, for messages.</param>
    /// <param name="port">Used when the host name has none; null = 443.</param>
    public static ServiceConnectionString Parse(string text, string source, string? port)
    {
        var parts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in text.Trim().Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0 || !parts.TryAdd(part[..equals].Trim(), part[(equals + 1)..].Trim()))
            {
                throw Wrong(source, "it is not a list of different name=value pairs");
            }
        }
        if (parts.ContainsKey("DeviceId"))
        {
            throw Wrong(source, "it is a device's or module's; a service's has SharedAccessKeyName and no DeviceId");
        }
        var host = Required(parts, "HostName", source);
        var colon = host.LastIndexOf(':');
        var hasPort = colon > 0 && !host.EndsWith(']');
        return new(
            hasPort ? host[..colon] : host,
            hasPort ? ParsePort(host[(colon + 1)..], source)
                : port is not null ? ParsePort(port, CliEnvironment.HttpsPort)
                : DefaultPort,
            Required(parts, "SharedAccessKeyName", source),
            DecodeKey(Required(parts, "SharedAccessKey", source), source)
        );
    }

    /// <summary>Without the key.</summary>
    public override string ToString() => $"{PolicyName}@{Host}:{Port}";

    private static string ReadFile(string file)
    {
        var info = new FileInfo(file);
        if (!info.Exists)
        {
            throw new CliException(
                ExitCodes.Usage,
                $"There is no connection string file '{file}'. Is the hub started?"
            );
        }
        return info.Length <= LongestFile
            ? File.ReadAllText(file)
            : throw Wrong($"'{file}'", "the file is too large to be one");
    }

    private static string Required(Dictionary<string, string> parts, string name, string source) =>
        parts.TryGetValue(name, out var value) && value.Length > 0 ? value : throw Wrong(source, $"{name} is missing");

    private static byte[] DecodeKey(string key, string source)
    {
        try
        {
            return Convert.FromBase64String(key);
        }
        catch (FormatException)
        {
            throw Wrong(source, "SharedAccessKey is not base64");
        }
    }

    private static int ParsePort(string text, string source) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535
            ? port
            : throw Wrong(source, "the port is not a number from 1 to 65535");

    private static CliException Wrong(string source, string what) =>
        new(ExitCodes.Usage, $"The connection string in {source} cannot be used: {what}.");
}
