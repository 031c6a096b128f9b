using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace EdgeDm.DevHub;

/// <summary>
/// Has the threads that wait for sockets handle what they learn themselves, where the system lets them (Linux and macOS). Otherwise each packet wakes a second thread:
/// a third of what a message costs here. So whoever is called by a socket must not wait there: see <see cref="Leave"/>.
/// </summary>
internal static class SocketThreads
{
    private const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>To be called before there is any socket. Where the variable is set it stays as it is.</summary>
    public static void HandleThemselves()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not null)
        {
            return;
        }
        // .NET takes this from its environment alone, once, as soon as a socket waits: this one, for nothing.
        Environment.SetEnvironmentVariable(Variable, "1");
        using (var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp))
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _ = socket.ReceiveAsync(new byte[1]); // Ends with the socket.
        }
        // The hub's own affair, and not that of the modules, which inherit its environment.
        Environment.SetEnvironmentVariable(Variable, null);
    }

    /// <summary>Goes on with a thread that may wait, for a disk or for somebody else.</summary>
    public static ConfiguredTaskAwaitable Leave() =>
        Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
}
