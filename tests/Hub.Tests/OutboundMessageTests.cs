using System.Text.Json.Serialization.Metadata;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class OutboundMessageTests : IAsyncLifetime
{
    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Properties_OfTheHub_HaveTheirWireNames()
    {
        var publish = await SendAsync(
            new("x"u8.ToArray())
            {
                MessageId = "m",
                CorrelationId = "c",
                ContentType = "application/json",
                ContentEncoding = "utf-8",
                UserId = "u",
                InterfaceId = "dtmi:i;1",
                ComponentName = "thermostat",
                CreatedOn = new(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)),
                ExpiresOn = new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero),
            }
        );
        publish
            .Properties.Select(property => $"{property.Key}={property.Value}")
            .ShouldBe([
                "$.mid=m",
                "$.cid=c",
                "$.ct=application/json",
                "$.ce=utf-8",
                "$.uid=u",
                "$.ifid=dtmi:i;1",
                "$.sub=thermostat",
                "$.ctime=2026-01-02T01:04:05.0000000Z",
                "$.exp=2027-01-01T00:00:00.0000000Z",
            ]);
    }

    [Fact]
    public async Task Properties_None_LeaveTheTopicBare() =>
        (await SendAsync(new("x"u8.ToArray()))).Topic.ShouldBe("devices/gateway/modules/Module/messages/events/");

    [Fact]
    public async Task Properties_WithAnyText_ArriveAsTheyWere()
    {
        var properties = new Dictionary<string, string>
        {
            ["plus+space "] = "a+b c",
            ["percent%26"] = "100%&=#/?",
            ["empty"] = "",
            ["emoji"] = "\U0001F600 ü",
        };
        var publish = await SendAsync(new("x"u8.ToArray()) { Properties = properties });
        publish.Topic.ShouldNotContain("+");
        publish.Properties.ToDictionary().ShouldBe(properties);
    }

    [Fact]
    public async Task FromText_IsPlainUtf8()
    {
        var publish = await SendAsync(OutboundMessage.FromText("grüße"));
        publish.Body.ShouldBe("grüße");
        (publish.Properties["$.ct"], publish.Properties["$.ce"]).ShouldBe(("text/plain", "utf-8"));
    }

    [Fact]
    public async Task FromJson_IsJsonThatRoutesCanRead()
    {
        var type = (JsonTypeInfo<int[]>)System.Text.Json.JsonSerializerOptions.Default.GetTypeInfo(typeof(int[]));
        var publish = await SendAsync(OutboundMessage.FromJson([1, 2], type));
        publish.Body.ShouldBe("[1,2]");
        (publish.Properties["$.ct"], publish.Properties["$.ce"]).ShouldBe(("application/json", "utf-8"));
    }

    [Fact]
    public async Task Topic_LongerThanMqttCanTell_IsRefusedBeforeTheNetwork()
    {
        var (session, _) = await hub.ConnectAsync(hub.Options with { MaxMessageBytes = 200_000 });
        await using var _ = session;
        var bare = HubTopics.Events("gateway", "Module").Length + "p=".Length;
        var longest = Message(ushort.MaxValue - bare);
        var sending = session.SendTelemetryAsync(longest).AsTask();
        await Should.ThrowAsync<ArgumentException>(() =>
            session.SendTelemetryAsync(Message(ushort.MaxValue - bare + 1)).AsTask()
        );
        sending.IsCompleted.ShouldBeFalse();
        session.IsConnected.ShouldBeTrue();

        static OutboundMessage Message(int length) =>
            new("x"u8.ToArray()) { Properties = new Dictionary<string, string> { ["p"] = new('v', length) } };
    }

    private async Task<ReceivedPublish> SendAsync(OutboundMessage message)
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var sending = session.SendTelemetryAsync(message).AsTask();
        var publish = await connection.TakePublishAsync();
        await sending.WaitAsync(ScriptedHub.Patience);
        return publish;
    }
}
