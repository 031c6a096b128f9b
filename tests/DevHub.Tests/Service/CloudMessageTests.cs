using System.Net;
using EdgeDm.DevHub.CloudMessages;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;
using static EdgeDm.DevHub.Tests.Service.ServiceAnswers;

namespace EdgeDm.DevHub.Tests.Service;

// Messages from the cloud to a device: taken by REST, delivered by MQTT.
public sealed class CloudMessageTests
{
    [Fact]
    public async Task Send_ToADeviceThatIsAway_ArrivesWithItsPropertiesOnceItSubscribes()
    {
        await using var hub = await StartAsync();
        await SendAsync(hub, "hello", "schema=s&%24.mid=m%201&%24.cid=c");
        await CountShouldBeAsync(hub, 1);
        await using var client = await SubscribedAsync(hub);
        var message = await client.NextMessageAsync();
        message.Topic.ShouldStartWith("devices/d/messages/devicebound/");
        message.QoS.ShouldBe(MqttQoS.AtLeastOnce);
        message.Payload.ShouldBe("hello");
        message.Bag["schema"].ShouldBe("s");
        message.Bag["$.mid"].ShouldBe("m 1");
        message.Bag["$.cid"].ShouldBe("c");
        message.Bag["$.to"].ShouldBe("/devices/d/messages/devicebound");
        message.Bag.Select(p => p.Key).ShouldNotContain("$.cdid");
        await CountShouldBeAsync(hub, 1);
        await client.AcknowledgeAsync(message);
        await client.ShouldHaveNothingAsync();
        await CountShouldBeAsync(hub, 0);
    }

    [Fact]
    public async Task Send_NotAcknowledged_ComesAgainInOrder()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await StartAsync(time);
        await using var client = await SubscribedAsync(hub);
        await SendAsync(hub, "1");
        await SendAsync(hub, "2");
        (await client.NextMessageAsync()).Payload.ShouldBe("1");
        await client.ShouldHaveNothingAsync();
        time.Advance(hub.Options.MessageAckTimeout);
        var again = await client.NextMessageAsync();
        again.Payload.ShouldBe("1");
        await client.AcknowledgeAsync(again);
        (await client.NextMessageAsync()).Payload.ShouldBe("2");
    }

    [Fact]
    public async Task Restart_MessageThatWaits_IsStillThere()
    {
        using var folder = new TemporaryFolder();
        await using (var hub = await StartAsync(dataFolder: folder.Path))
        {
            await SendAsync(hub, "kept");
        }
        await using var again = await TestHub.StartAsync(dataFolder: folder.Path);
        await using var client = await SubscribedAsync(again);
        (await client.NextMessageAsync()).Payload.ShouldBe("kept");
    }

    [Fact]
    public async Task Send_Expired_IsForgotten()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await StartAsync(time);
        await SendAsync(hub, "short", Expiry(time, TimeSpan.FromMinutes(1)));
        await SendAsync(hub, "usual");
        time.Advance(TimeSpan.FromMinutes(1));
        await CountShouldBeAsync(hub, 1);
        time.Advance(TimeSpan.FromMinutes(59));
        await CountShouldBeAsync(hub, 0);
    }

    [Theory]
    [InlineData(48 * 60, 204)]
    [InlineData(48 * 60 + 1, 403)]
    [InlineData(0, 403)]
    public async Task Send_Expiry_IsLimited(int minutes, int status)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await StartAsync(time);
        var answer = await PostAsync(hub, "x", Expiry(time, TimeSpan.FromMinutes(minutes)));
        ((int)answer.StatusCode).ShouldBe(status);
        if (status == 403)
        {
            await ShouldFailAsync(answer, 403, "InvalidMessageExpiryTime");
        }
    }

    [Fact]
    public async Task Send_BeyondTheLimits_IsRefused()
    {
        await using var hub = await StartAsync(limits: new(MostWaiting: 2, LargestMessage: 200));
        await SendAsync(hub, "1");
        await SendAsync(hub, "2");
        await ShouldFailAsync(await PostAsync(hub, "3"), 403, "DeviceMaximumQueueDepthExceeded");
        await ShouldFailAsync(await PostAsync(hub, new string('x', 200)), 413, "MessageTooLarge");
        var purged = await hub.DoAsync(HttpMethod.Delete, "/devices/d/commands");
        purged.ToJsonString().ShouldBe("""{"totalMessagesPurged":2,"deviceId":"d","moduleId":null}""");
        await SendAsync(hub, "3");
        await ShouldFailAsync(
            await hub.Http.PostAsync("/devhub/devices/nobody/messages", TestHub.Json("{}")),
            404,
            "DeviceNotFound"
        );
    }

    [Fact]
    public async Task Delete_Device_TakesItsMessagesAlong()
    {
        await using var hub = await StartAsync();
        await SendAsync(hub, "old");
        await hub.SendAsync(HttpMethod.Delete, "/devices/d");
        await hub.DoAsync(HttpMethod.Put, "/devices/d", "{}");
        await CountShouldBeAsync(hub, 0);
    }

    private static async Task<TestHub> StartAsync(
        FakeTimeProvider? time = null,
        string? dataFolder = null,
        CloudMessageLimits? limits = null
    )
    {
        var hub = await TestHub.StartAsync(
            o => o with { CloudMessages = limits ?? new() },
            time: time,
            dataFolder: dataFolder
        );
        await hub.DoAsync(HttpMethod.Put, "/devices/d", "{}");
        return hub;
    }

    private static async Task<MqttTestClient> SubscribedAsync(TestHub hub)
    {
        var (client, code) = await MqttTestClient.TryConnectAsync(hub, new("d"));
        code.ShouldBe(ConnackCode.Accepted);
        await client.SubscribeAsync(HubTopics.CloudMessagesFilter("d"));
        return client;
    }

    private static string Expiry(TimeProvider time, TimeSpan life) =>
        $"%24.exp={Uri.EscapeDataString((time.GetUtcNow() + life).UtcDateTime.ToString("O"))}";

    private static Task<HttpResponseMessage> PostAsync(TestHub hub, string body, string query = "") =>
        hub.Http.PostAsync($"/devhub/devices/d/messages?{query}", TestHub.Json(body));

    private static async Task SendAsync(TestHub hub, string body, string query = "") =>
        (await PostAsync(hub, body, query)).StatusCode.ShouldBe(HttpStatusCode.NoContent);

    private static async Task CountShouldBeAsync(TestHub hub, int count)
    {
        ((int?)(await hub.DoAsync(HttpMethod.Get, "/devices/d"))["cloudToDeviceMessageCount"]).ShouldBe(count);
        ((int?)(await hub.DoAsync(HttpMethod.Get, "/twins/d"))["cloudToDeviceMessageCount"]).ShouldBe(count);
    }
}
