using System.Text;
using EdgeDm.DevHub.Identities;
using EdgeDm.Mqtt;

namespace EdgeDm.DevHub.Tests.Broker;

// Subscriptions of clients that ask for no clean session, over a restart of the hub.
public sealed class SessionTests : IDisposable
{
    private static readonly HubIdentity B = new("gateway", "b");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Restart_SessionNotClean_GetsWhatItSubscribedToWithoutAskingAgain()
    {
        await RunAsync(async hub =>
        {
            var (client, present) = await ConnectAsync(hub, clean: false);
            await using var first = client;
            present.ShouldBeFalse();
            await client.SubscribeAsync(MqttQoS.AtLeastOnce, $"{client.Topics}/inputs/#");
            await client.SubscribeAsync(MqttQoS.AtMostOnce, "$iothub/methods/POST/#");
        });

        await RunAsync(async hub =>
        {
            await hub.Http.PostAsync("/devhub/modules/b/inputs/i", TestHub.Json("1"));
            var (client, present) = await ConnectAsync(hub, clean: false);
            await using var again = client;
            present.ShouldBeTrue();
            var message = await client.NextMessageAsync();
            message.Payload.ShouldBe("1");
            message.QoS.ShouldBe(MqttQoS.AtLeastOnce);
            await client.AcknowledgeAsync(message);
            var call = hub.Server.Methods.InvokeAsync(
                B,
                "go",
                "1"u8.ToArray(),
                TestHub.Patience,
                TestHub.Patience,
                CancellationToken.None
            );
            (await client.NextMessageAsync()).QoS.ShouldBe(MqttQoS.AtMostOnce);
            await client.DisposeAsync();
            await Should.ThrowAsync<HubException>(call);
        });
    }

    [Fact]
    public async Task Restart_AfterUnsubscribe_ItIsStillUnsubscribed()
    {
        await RunAsync(async hub =>
        {
            var (client, _) = await ConnectAsync(hub, clean: false);
            await using var first = client;
            await client.SubscribeAsync($"{client.Topics}/#");
            await client.SendAsync(new UnsubscribePacket(7, [$"{client.Topics}/#"]).Write);
            await client.NextAsync<UnsubackPacket>();
        });

        await RunAsync(async hub =>
        {
            await hub.Http.PostAsync("/devhub/modules/b/inputs/i", TestHub.Json("1"));
            var (client, present) = await ConnectAsync(hub, clean: false);
            await using var again = client;
            present.ShouldBeTrue();
            await client.ShouldHaveNothingAsync();
        });
    }

    [Fact]
    public async Task Restart_AfterACleanSession_NothingIsLeft()
    {
        await RunAsync(async hub =>
        {
            var (client, _) = await ConnectAsync(hub, clean: false);
            await using var first = client;
            await client.SubscribeAsync($"{client.Topics}/#");
        });
        await RunAsync(async hub =>
        {
            var (client, present) = await ConnectAsync(hub, clean: true);
            await using var clean = client;
            present.ShouldBeFalse();
            await client.SubscribeAsync($"{client.Topics}/#");
        });

        await RunAsync(async hub =>
        {
            var (client, present) = await ConnectAsync(hub, clean: false);
            await using var again = client;
            present.ShouldBeFalse();
        });
    }

    [Fact]
    public async Task Restart_IdentityDeletedAndMadeAnew_NothingIsLeft()
    {
        await RunAsync(async hub =>
        {
            var (client, _) = await ConnectAsync(hub, clean: false);
            await using var first = client;
            await client.SubscribeAsync($"{client.Topics}/#");
            hub.Server.Identities.Delete(B, null);
            await client.Closed.WaitAsync(TestHub.Patience);
        });

        await RunAsync(async hub =>
        {
            var (client, present) = await ConnectAsync(hub, clean: false);
            await using var again = client;
            present.ShouldBeFalse();
        });
    }

    [Fact]
    public async Task Subscribe_FiltersThatMeanNothing_AreGrantedAndNotKept()
    {
        await RunAsync(async hub =>
        {
            var (client, _) = await ConnectAsync(hub, clean: false);
            await using var first = client;
            var granted = await client.SubscribeAsync(MqttQoS.AtLeastOnce, "any/thing", $"{client.Topics}/#");
            granted.Codes.ShouldBe([1, 1]);
        });

        var kept = await File.ReadAllTextAsync(Directory.GetFiles(folder.File("data", "sessions")).Single());
        kept.ShouldContain("gateway/modules/b/#");
        kept.ShouldNotContain("any/thing");
    }

    [Fact]
    public async Task Subscribe_DiskTakesNothing_ClosesWithoutSuback()
    {
        await RunAsync(async hub =>
        {
            var (client, _) = await ConnectAsync(hub, clean: false);
            await using var first = client;
            Directory.Delete(folder.File("data", "sessions"));
            await File.WriteAllTextAsync(folder.File("data", "sessions"), "in the way");
            await client.SendAsync(
                new SubscribePacket(1, [new TopicSubscription($"{client.Topics}/#", MqttQoS.AtLeastOnce)]).Write
            );
            await client.Closed.WaitAsync(TestHub.Patience);
            await Should.ThrowAsync<System.Threading.Channels.ChannelClosedException>(client.NextAsync<SubackPacket>());
        });
    }

    private async Task RunAsync(Func<TestHub, Task> body)
    {
        await using var hub = await TestHub.StartAsync(dataFolder: folder.File("data"));
        hub.Module(B.ModuleId!);
        await body(hub);
    }

    private static async Task<(MqttTestClient Client, bool SessionPresent)> ConnectAsync(TestHub hub, bool clean)
    {
        var client = await MqttTestClient.OpenAsync(hub, B);
        var connack = await client.SendConnectAsync(
            new($"{B}", clean, 60, MqttTestClient.UserName(hub, B), Encoding.UTF8.GetBytes(hub.Token(B)))
        );
        connack.Code.ShouldBe(ConnackCode.Accepted);
        return (client, connack.SessionPresent);
    }
}
