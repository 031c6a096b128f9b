using System.Net.Sockets;
using System.Text;
using EdgeDm.HostAccess.Hosts.Linux.DBus;
using EdgeDm.HostAccess.Tests.Support;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeDm.HostAccess.Tests.Hosts.Linux.DBus;

/// <summary>What a bus says that is none, or that is broken: the connection ends, and nothing else.</summary>
public sealed class HostileBusTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly string folder = Directory.CreateTempSubdirectory("edb").FullName;
    private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public HostileBusTests()
    {
        listener.Bind(new UnixDomainSocketEndPoint(SocketPath));
        listener.Listen();
    }

    private string SocketPath => Path.Combine(folder, "bus");

    public void Dispose()
    {
        listener.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Read_AnyBytesForAMessage_OnlyEndTheConnection() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(100),
            Prop.ForAll<byte[]>(bytes => CallAsync("OK 1\r\n", bytes).GetAwaiter().GetResult())
        );

    [Theory]
    [InlineData("REJECTED EXTERNAL\r\n", "does not take user")]
    [InlineData("ERROR \u0007\r\n", "'ERROR ?'")]
    public async Task Connect_BusThatRefuses_IsToldWithItsWords(string line, string words) =>
        (await CallAsync(line, [])).ShouldContain(words);

    [Fact]
    public async Task Connect_HandshakeLineAtItsLimit_IsTakenAndOneByteMoreIsNot()
    {
        var longest = new DBusLimits().MaxHandshakeLine;
        var line = "OK ".PadRight(longest - 2, '1') + "\r\n";
        (await CallAsync(line, [])).ShouldContain("connection to the bus ended");
        (await CallAsync("OK 1" + line[3..], [])).ShouldContain($"a line of over {longest} bytes");
    }

    [Fact]
    public async Task Connect_BusThatSaysNothing_EndsInTime()
    {
        await using var client = new DBusClient(
            SocketPath,
            TimeProvider.System,
            new() { ConnectTime = TimeSpan.FromMilliseconds(50) }
        );
        await Should.ThrowAsync<DBusTimeoutException>(() =>
            client.CallAsync(new(DBusNames.Bus, "/", DBusNames.Bus, "GetId"), None)
        );
    }

    /// <summary>Lets a client connect, answers with these and closes. Returns what the client says of it.</summary>
    private async Task<string> CallAsync(string line, byte[] bytes)
    {
        await using var client = new DBusClient(SocketPath, TimeProvider.System);
        var call = client.CallAsync(new(DBusNames.Bus, "/", DBusNames.Bus, "GetId"), None);
        using (var peer = await listener.AcceptAsync())
        {
            await peer.ReceiveAsync(new byte[256]);
            await peer.SendAsync(Encoding.ASCII.GetBytes(line));
            if (bytes.Length > 0)
            {
                await peer.SendAsync(bytes);
            }
            peer.Shutdown(SocketShutdown.Send);
            await Should.ThrowAsync<DBusConnectionException>(() => call.WaitAsync(TestGateway.Patience));
        }
        return (await Should.ThrowAsync<DBusConnectionException>(() => call)).Message;
    }
}
