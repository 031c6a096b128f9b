using System.Text;
using EdgeDm.HostAccess.Configuration;

namespace EdgeDm.HostAccess.Hosts.Linux.DBus;

/// <summary>
/// Who we are, by the kernel's word: SASL EXTERNAL (D-Bus Specification, "Authentication Protocol"). Descriptor passing is not asked for.
/// </summary>
internal static class DBusHandshake
{
    /// <summary>Until the stream carries messages.</summary>
    /// <exception cref="DBusConnectionException">The bus does not take us.</exception>
    public static async Task RunAsync(Stream stream, DBusLimits limits, CancellationToken cancel)
    {
        var identity = Convert.ToHexStringLower(Encoding.ASCII.GetBytes(OwnUser.Id.ToString()));
        await SendAsync(stream, $"\0AUTH EXTERNAL {identity}\r\n", cancel);
        var answer = await ReadLineAsync(stream, limits.MaxHandshakeLine, cancel);
        if (!answer.StartsWith("OK ", StringComparison.Ordinal))
        {
            throw new DBusConnectionException($"The bus does not take user {OwnUser.Id}: it says '{answer}'.");
        }
        await SendAsync(stream, "BEGIN\r\n", cancel);
    }

    private static Task SendAsync(Stream stream, string line, CancellationToken cancel) =>
        stream.WriteAsync(Encoding.ASCII.GetBytes(line), cancel).AsTask();

    /// <summary>Byte by byte, so that nothing behind the line is taken off the stream.</summary>
    private static async Task<string> ReadLineAsync(Stream stream, int longest, CancellationToken cancel)
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (line.Count < longest)
        {
            await stream.ReadExactlyAsync(one, cancel);
            line.Add(one[0]);
            if (line is [.., (byte)'\r', (byte)'\n'])
            {
                var text = line[..^2].Select(octet => octet is >= 0x20 and < 0x7f ? (char)octet : '?');
                return string.Concat(text);
            }
        }
        throw new DBusConnectionException($"The bus answers with a line of over {longest} bytes.");
    }
}
