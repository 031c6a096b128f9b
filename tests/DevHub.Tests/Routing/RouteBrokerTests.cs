namespace EdgeDm.DevHub.Tests.Routing;

/// <summary>Conditions with messages that came over MQTT.</summary>
public sealed class RouteBrokerTests
{
    private const string Json = "%24.ct=application%2Fjson&%24.ce=utf-8";

    [Fact]
    public async Task Output_BodyAndPropertyConditions_ReachTheInputsThatWantThem()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route(
            "FROM /messages/modules/sensor/outputs/* WHERE $body.temperature > 30 INTO BrokeredEndpoint('/modules/alarm/inputs/hot')",
            "FROM /messages/modules/sensor/outputs/* WHERE Level = 'high' AND $connectionModuleId = 'sensor' INTO BrokeredEndpoint('/modules/alarm/inputs/level')",
            "FROM /messages/* WHERE NOT is_defined(level) INTO $upstream"
        );
        await using var sensor = await MqttTestClient.ConnectAsync(hub, "sensor");
        await using var alarm = await MqttTestClient.SubscribedAsync(hub, "alarm");

        await sensor.OutputAsync("t", """{"temperature":31}""", $"{Json}&level=low");
        await Arrives("hot", """{"temperature":31}""");
        await sensor.OutputAsync("t", """{"temperature":29}""", $"{Json}&level=high");
        await Arrives("level", """{"temperature":29}""");
        // Neither: too cold, and one that does not say that it is JSON. What comes after them comes next.
        await sensor.OutputAsync("t", """{"temperature":30}""", $"{Json}&level=low");
        await sensor.OutputAsync("t", """{"temperature":31}""", "level=low");
        await sensor.OutputAsync("t", """{"temperature":32}""", $"{Json}&level=low");
        await Arrives("hot", """{"temperature":32}""");
        // The last route: a message without the property.
        await sensor.OutputAsync("t", "plain");
        hub.Server.Upstream.After(0).Count.ShouldBe(1);

        async Task Arrives(string input, string payload)
        {
            var message = await alarm.NextMessageAsync();
            message.Topic.ShouldContain($"/inputs/{input}/");
            message.Payload.ShouldBe(payload);
        }
    }
}
