using System.Text;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class CloudMessageTests : IAsyncLifetime
{
    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Message_TellsAllThatTheHubSaid()
    {
        var bag = new PropertyBag
        {
            { "$.to", "/devices/gateway/messages/deviceBound" },
            { "$.mid", "m" },
            { "$.cid", "c" },
            { "$.uid", "u" },
            { "$.exp", "2027-01-01T00:00:00.0000000Z" },
            { "$.ctime", "2026-01-01T00:00:00.0000000Z" },
            { "mine", "a b" },
        };
        var message = await ReceiveAsync(bag, "text"u8.ToArray());
        message.InputName.ShouldBeEmpty();
        message.To.ShouldBe("/devices/gateway/messages/deviceBound");
        (message.MessageId, message.CorrelationId, message.UserId).ShouldBe(("m", "c", "u"));
        message.ExpiresOn.ShouldBe(new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero));
        message.CreatedOn.ShouldBe(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
        message["mine"].ShouldBe("a b");
        message.Properties.Count().ShouldBe(7);
        (message.ConnectionDeviceId, message.ContentType, message.IsDuplicate).ShouldBe((null, null, false));
        message.GetText().ShouldBe("text");
    }

    [Theory]
    [InlineData(null, "utf-8")]
    [InlineData("", "utf-8")]
    [InlineData("UTF-8", "utf-8")]
    [InlineData("utf-16", "utf-16")]
    [InlineData("utf-32", "utf-32")]
    public async Task GetText_HonoursTheEncoding(string? told, string used)
    {
        var bag = new PropertyBag { { "$.to", "/d" } };
        bag["$.ce"] = told;
        (await ReceiveAsync(bag, Encoding.GetEncoding(used).GetBytes("grüße"))).GetText().ShouldBe("grüße");
    }

    [Theory]
    [InlineData("latin-1", new byte[] { 65 })]
    [InlineData("utf-8", new byte[] { 0xFF })]
    [InlineData("utf-16", new byte[] { 65 })]
    public async Task GetText_NoSuchText_SaysSoAndTheBytesAreThere(string encoding, byte[] body)
    {
        var message = await ReceiveAsync(new() { { "$.ce", encoding } }, body);
        Should.Throw<FormatException>(message.GetText).Message.ShouldContain(encoding);
        message.Payload.ToArray().ShouldBe(body);
    }

    [Fact]
    public async Task Properties_Strange_AreReadAsFarAsTheyGo()
    {
        var (session, connection, subscription) = await SubscribeAsync();
        await using var _ = session;
        await connection.PublishAsync("devices/gateway/messages/devicebound/a&b=&%zz=1&$.exp=soon&=x/", "x", 1);
        await using var items = subscription.GetAsyncEnumerator();
        (await items.MoveNextAsync()).ShouldBeTrue();
        var message = items.Current;
        (message["a"], message["b"], message["%zz"], message[""]).ShouldBe(("", "", "1", "x"));
        message.ExpiresOn.ShouldBeNull();
    }

    [Fact]
    public async Task QoS0_NeedsNoAcknowledgement()
    {
        var (session, connection, subscription) = await SubscribeAsync();
        await using var _ = session;
        await connection.PublishAsync("devices/gateway/messages/devicebound/a=b", "0");
        await connection.PublishAsync("devices/gateway/messages/devicebound/a=b", "1", 5);
        await using var items = subscription.GetAsyncEnumerator();
        (await items.MoveNextAsync()).ShouldBeTrue();
        (await items.Current.AckAsync()).ShouldBeTrue();
        (await items.MoveNextAsync()).ShouldBeTrue();
        (await items.Current.AckAsync()).ShouldBeTrue();
        (await connection.ExpectAsync<PubackPacket>()).PacketId.ShouldBe((ushort)5);
    }

    private async Task<HubMessage> ReceiveAsync(PropertyBag bag, byte[] body)
    {
        var (session, connection, subscription) = await SubscribeAsync();
        await using var _ = session;
        var topic = HubTopics.CloudMessage("gateway", bag);
        await connection.SendAsync(w => PublishPacket.Write(w, topic, body, MqttQoS.AtLeastOnce, 1));
        await using var items = subscription.GetAsyncEnumerator();
        (await items.MoveNextAsync()).ShouldBeTrue();
        return items.Current;
    }

    private async Task<(IoTHubSession, ScriptedConnection, HubSubscription<HubMessage>)> SubscribeAsync()
    {
        var (session, connection) = await hub.ConnectAsync(hub.Options with { ModuleId = null });
        var subscribing = session.SubscribeAsync(HubChannel.CloudMessages).AsTask();
        await connection.GrantAsync(HubTopics.CloudMessagesFilter("gateway"));
        return (session, connection, await subscribing.WaitAsync(ScriptedHub.Patience));
    }
}
