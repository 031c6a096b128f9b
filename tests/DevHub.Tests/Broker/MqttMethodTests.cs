using System.Text;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Methods;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.DevHub.Tests.Broker;

// Direct methods between the hub and a client.
public sealed class MqttMethodTests
{
    private static readonly TimeSpan Seconds30 = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(200, """{"a":1}""")]
    [InlineData(1, "")]
    [InlineData(999, "[1]")]
    [InlineData(0, "null")]
    [InlineData(4711, "\"text\"")]
    public async Task Invoke_Answered_GivesStatusAndPayload(int status, string payload)
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        var call = Invoke(hub, client, "doIt");
        var request = await client.NextMessageAsync();
        request.Topic.Split('/').Length.ShouldBe(5);
        request.Topic.ShouldStartWith("$iothub/methods/POST/doIt/?$rid=");
        request.Payload.ShouldBe("[1]");
        // Clients may change the case of the id.
        await client.PublishAsync(HubTopics.MethodResponse(status, request.Hub.RequestId.ToUpperInvariant()), payload);
        var answer = await call;
        answer.Status.ShouldBe(status);
        Encoding.UTF8.GetString(answer.Payload.Span).ShouldBe(payload);
    }

    [Fact]
    public async Task Invoke_AsSoonAsTheSubscriptionIsGranted_ReachesTheClient()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        for (var n = 0; n < 200; n++)
        {
            await client.SubscribeAsync(HubTopics.MethodFilter);
            var call = Invoke(hub, client, "now");
            var request = await Task.WhenAny(client.NextMessageAsync(), Refused(call));
            await client.PublishAsync(HubTopics.MethodResponse(n, (await request).Hub.RequestId));
            (await call).Status.ShouldBe(n);
            await client.NextAsync<PubackPacket>();
            await client.SendAsync(new UnsubscribePacket(1, [HubTopics.MethodFilter]).Write);
            await client.NextAsync<UnsubackPacket>();
        }

        // Fails with the call, which else only the end of a patience would tell.
        static async Task<Arrived> Refused(Task call)
        {
            await call;
            throw new InvalidOperationException("Answered before it was asked.");
        }
    }

    [Fact]
    public async Task Invoke_TwoAtOnce_EachGetsItsOwnAnswer()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        var first = Invoke(hub, client, "first");
        var firstRequest = await client.NextMessageAsync();
        var second = Invoke(hub, client, "second");
        var secondRequest = await client.NextMessageAsync();
        await client.PublishAsync(HubTopics.MethodResponse(2, secondRequest.Hub.RequestId));
        await client.PublishAsync(HubTopics.MethodResponse(1, firstRequest.Hub.RequestId));
        (await second).Status.ShouldBe(2);
        (await first).Status.ShouldBe(1);
    }

    [Fact]
    public async Task Invoke_NotSubscribed_NotOnlineAtOnce()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.ConnectAsync(hub, "m");
        (await Should.ThrowAsync<HubException>(Invoke(hub, client, "x"))).Error.ShouldBe(HubError.DeviceNotOnline);
    }

    [Fact]
    public async Task Invoke_WithConnectTimeout_WaitsForTheSubscription()
    {
        await using var hub = await TestHub.StartAsync();
        var id = hub.Module("m");
        var call = hub.Server.Methods.InvokeAsync(id, "x", default, Seconds30, Seconds30, CancellationToken.None);
        call.IsCompleted.ShouldBeFalse();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        var request = await client.NextMessageAsync();
        await client.PublishAsync(HubTopics.MethodResponse(200, request.Hub.RequestId));
        (await call.WaitAsync(TestHub.Patience)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Invoke_NobodyComesInTime_NotOnline()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await TestHub.StartAsync(time: time);
        var call = hub.Server.Methods.InvokeAsync(
            hub.Module("m"),
            "x",
            default,
            Seconds30,
            TimeSpan.FromSeconds(5),
            CancellationToken.None
        );
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(5));
        time.Advance(TimeSpan.FromSeconds(5));
        (await Should.ThrowAsync<HubException>(call)).Error.ShouldBe(HubError.DeviceNotOnline);
    }

    [Fact]
    public async Task Invoke_NoAnswerInTime_TimesOutAndIgnoresALateOne()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var hub = await TestHub.StartAsync(time: time);
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        var call = Invoke(hub, client, "slow");
        var request = await client.NextMessageAsync();
        await time.WaitForTimerAsync(Seconds30);
        time.Advance(Seconds30);
        (await Should.ThrowAsync<HubException>(call)).Error.ShouldBe(HubError.GatewayTimeout);
        await client.PublishAsync(HubTopics.MethodResponse(200, request.Hub.RequestId), qos: Mqtt.MqttQoS.AtMostOnce);
        await client.ShouldHaveNothingAsync();
    }

    [Fact]
    public async Task Invoke_ClientLeavesWithTheCall_MayHaveRun()
    {
        var broker = new MethodBroker(TimeProvider.System);
        var client = new HubIdentity("gateway", "m");
        broker.Attach(client, new Leaver(broker, client));
        var call = broker.InvokeAsync(client, "x", default, Seconds30, TimeSpan.Zero, CancellationToken.None);
        var error = await Should.ThrowAsync<HubException>(call.WaitAsync(TestHub.Patience));
        error.Error.ShouldBe(HubError.GatewayTimeout);
        error.Message.ShouldContain("may have run");
    }

    [Fact]
    public async Task Invoke_ClientLeaves_FailsAtOnce()
    {
        await using var hub = await TestHub.StartAsync();
        var client = await MqttTestClient.SubscribedAsync(hub, "m");
        var call = Invoke(hub, client, "x");
        await client.NextMessageAsync();
        await client.DisposeAsync();
        (await Should.ThrowAsync<HubException>(call.WaitAsync(TestHub.Patience))).Error.ShouldBe(
            HubError.GatewayTimeout
        );
    }

    [Fact]
    public async Task Invoke_AnsweredByAnotherModule_IsIgnored()
    {
        await using var hub = await TestHub.StartAsync();
        await using var client = await MqttTestClient.SubscribedAsync(hub, "m");
        await using var other = await MqttTestClient.SubscribedAsync(hub, "other");
        var call = Invoke(hub, client, "x");
        var request = await client.NextMessageAsync();
        await other.PublishAcknowledgedAsync(HubTopics.MethodResponse(666, request.Hub.RequestId));
        call.IsCompleted.ShouldBeFalse();
        await client.PublishAsync(HubTopics.MethodResponse(200, request.Hub.RequestId));
        (await call).Status.ShouldBe(200);
    }

    private static Task<MethodAnswer> Invoke(TestHub hub, MqttTestClient client, string name) =>
        hub.Server.Methods.InvokeAsync(
            client.Identity,
            name,
            "[1]"u8.ToArray(),
            Seconds30,
            TimeSpan.Zero,
            CancellationToken.None
        );

    private sealed class Leaver(MethodBroker broker, HubIdentity client) : IMethodTarget
    {
        public void SendMethod(string method, string requestId, ReadOnlyMemory<byte> payload) =>
            broker.Detach(client, this);
    }
}
