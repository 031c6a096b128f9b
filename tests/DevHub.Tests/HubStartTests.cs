using System.Net;
using System.Net.Sockets;
using EdgeDm.Hosting;

namespace EdgeDm.DevHub.Tests;

// What is there once a hub has started, and what it says when it cannot.
public sealed class HubStartTests
{
    [Fact]
    public async Task Start_ConnectionString_IsWrittenForTheOwnerOnly()
    {
        await using var hub = await TestHub.StartAsync();
        var text = (await File.ReadAllTextAsync(hub.Options.ConnectionStringFile)).TrimEnd('\n');
        text.ShouldBe(
            $"HostName=hub.example:{hub.Server.HttpsPort};SharedAccessKeyName=iothubowner;SharedAccessKey={hub.Server.Identities.Owner.Key}"
        );
        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(hub.Options.ConnectionStringFile)
                .ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    [Fact]
    public async Task Start_PortAskedForIsTaken_IsMisconfigured()
    {
        await using var hub = await TestHub.StartAsync();
        var error = await Should.ThrowAsync<MisconfiguredException>(
            TestHub.StartAsync(o => o with { MqttPort = hub.Server.MqttPort })
        );
        error.Message.ShouldContain($"127.0.0.1:{hub.Server.MqttPort}");
    }

    [Fact]
    public async Task Start_UsualAndFallbackPortsTaken_TakesAnyOther()
    {
        // An address of this test's own, with the usual ports and the fallbacks occupied as far as this user may.
        var address = IPAddress.Parse("127.0.0.77");
        using var mqtt = Occupy(address, DevHubOptions.DefaultMqttPort);
        using var fallback = Occupy(address, 28883);
        await using var hub = await TestHub.StartAsync(o =>
            o with
            {
                Address = address,
                MqttPort = null,
                MqttFallbackPort = 28883,
            }
        );
        hub.Server.MqttPort.ShouldNotBeOneOf(DevHubOptions.DefaultMqttPort, 28883, 0);
    }

    private static Socket Occupy(IPAddress address, int port)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address, port));
        socket.Listen();
        return socket;
    }
}
