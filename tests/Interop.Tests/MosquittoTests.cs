using System.Text;
using EdgeDm.Hub;

namespace EdgeDm.Interop.Tests;

/// <summary>
/// The session at a broker that is not a hub: Debian's mosquitto, over TLS. It takes <c>$iothub</c> topics as any other and answers none, so
/// telemetry and inputs work; twin and methods have nobody at the other end.
/// </summary>
public sealed class MosquittoTests : IClassFixture<MosquittoBroker>
{
    private const string InputTopic =
        "devices/gateway/modules/Beta/inputs/in/%24.cdid=gateway&%24.cmid=Alpha&%24.mid=m1&x%20y=a%26b";

    private readonly MosquittoBroker broker;

    public MosquittoTests(MosquittoBroker broker)
    {
        Assert.SkipWhen(MosquittoBroker.Obstacle is not null, MosquittoBroker.Obstacle ?? "");
        this.broker = broker;
    }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SendTelemetry_AsDevice_IsPublishedOnItsTopicWithItsProperties()
    {
        await using var session = await IoTHubSession.ConnectAsync(broker.Options(null), Cancelled);
        await using var subscriber = await broker.SubscribeAsync("devices/gateway/messages/events/#");

        await session.SendTelemetryAsync(
            OutboundMessage.FromText("""{"t":21.5}""") with
            {
                MessageId = "m 1",
                ContentType = "application/json",
                Properties = new Dictionary<string, string>(StringComparer.Ordinal) { ["a b"] = "c&d=e" },
            },
            Cancelled
        );

        var (topic, payload) = await subscriber.NextAsync();
        payload.ShouldBe("""{"t":21.5}""");
        topic.ShouldBe(
            "devices/gateway/messages/events/%24.mid=m%201&%24.ct=application%2Fjson&%24.ce=utf-8&a%20b=c%26d%3De"
        );
    }

    [Fact]
    public async Task SendToOutput_ManyAtOnce_AreAllAcknowledgedAndEachComesOnce()
    {
        const int Count = 500;
        await using var session = await IoTHubSession.ConnectAsync(broker.Options("Alpha"), Cancelled);
        await using var subscriber = await broker.SubscribeAsync("devices/gateway/modules/Alpha/messages/events/#");

        var sends = Enumerable
            .Range(0, Count)
            .Select(i => session.SendToOutputAsync("out", new(Encoding.UTF8.GetBytes($"{i}")), Cancelled).AsTask())
            .ToList();
        await Task.WhenAll(sends);

        var payloads = new List<string>();
        for (var i = 0; i < Count; i++)
        {
            var (topic, payload) = await subscriber.NextAsync();
            topic.ShouldBe("devices/gateway/modules/Alpha/messages/events/%24.on=out");
            payloads.Add(payload);
        }
        payloads.ShouldBe(Enumerable.Range(0, Count).Select(i => $"{i}"), ignoreOrder: true);
    }

    [Fact]
    public async Task SubscribeInputs_PublishedByAnotherClient_ArriveWithProperties()
    {
        await using var session = await IoTHubSession.ConnectAsync(broker.Options("Beta"), Cancelled);
        await using var inputs = await session.SubscribeAsync(HubChannel.Inputs, Cancelled);

        await broker.PublishAsync(InputTopic, "hello");

        await foreach (var message in inputs.WithCancellation(Cancelled))
        {
            message.InputName.ShouldBe("in");
            message.GetText().ShouldBe("hello");
            message.ConnectionDeviceId.ShouldBe("gateway");
            message.ConnectionModuleId.ShouldBe("Alpha");
            message.MessageId.ShouldBe("m1");
            message["x y"].ShouldBe("a&b");
            break;
        }
    }

    [Fact]
    public async Task Inputs_LeftUnacknowledged_ComeAgainToTheNextSession()
    {
        var options = broker.Options("Gamma") with { CleanSession = false };
        var topic = InputTopic.Replace("Beta", "Gamma", StringComparison.Ordinal);
        await using (var first = await IoTHubSession.ConnectAsync(options, Cancelled))
        {
            await using var inputs = await first.SubscribeAsync(HubChannel.Inputs, Cancelled);
            await broker.PublishAsync(topic, "kept");
            await foreach (var message in inputs.WithCancellation(Cancelled))
            {
                message.GetText().ShouldBe("kept");
                break; // Not done with it.
            }
            await first.DisposeAsync();
        }

        await using var second = await IoTHubSession.ConnectAsync(options, Cancelled);
        second.SessionPresent.ShouldBeTrue();
        await using var again = await second.SubscribeAsync(HubChannel.Inputs, Cancelled);

        await foreach (var message in again.WithCancellation(Cancelled))
        {
            message.GetText().ShouldBe("kept");
            message.IsDuplicate.ShouldBeTrue();
            await message.AckAsync();
            break;
        }
    }

    [Fact]
    public async Task Connect_WithUserAndPasswordThatTheBrokerChecks_IsRefusedWithAnother()
    {
        var options = broker.Options("Alpha", checksPasswords: true);

        await using (await IoTHubSession.ConnectAsync(options, Cancelled)) { }
        var refused = await Should.ThrowAsync<ConnectFailedException>(() =>
            IoTHubSession
                .ConnectAsync(options with { Credential = HubCredential.FromKey("bm9uZQ==") }, Cancelled)
                .AsTask()
        );

        refused.ConnackCode.ShouldBe((byte)5);
    }

    [Fact]
    public async Task Session_WhoseBrokerIsStopped_EndsAndTellsSo()
    {
        await using var own = new MosquittoBroker();
        await own.InitializeAsync();
        await using var session = await IoTHubSession.ConnectAsync(own.Options("Alpha"), Cancelled);

        await own.DisposeAsync();

        var end = await session.Completion.WaitAsync(MosquittoBroker.Patience, Cancelled);
        end.Reason.ShouldBe(SessionEndReason.ClosedByPeer);
        await Should.ThrowAsync<ConnectionLostException>(() =>
            session.SendTelemetryAsync(new("x"u8.ToArray()), Cancelled).AsTask()
        );
    }
}
