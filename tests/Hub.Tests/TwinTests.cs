using System.Text.Json;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class TwinTests : IAsyncLifetime
{
    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    private static string Twin(long version, string desired = "\"a\":1") =>
        $$"""{"desired":{ {{desired}},"$version":{{version}} },"reported":{"r":true,"$version":4} }""";

    [Fact]
    public async Task GetTwin_TellsBothParts()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var getting = session.GetTwinAsync();
        var request = await connection.AnswerTwinAsync(200, Twin(12));
        request.Topic.ShouldBe("$iothub/twin/GET/?$rid=1");
        request.Body.ShouldBeEmpty();
        var twin = await getting;
        twin.DesiredVersion.ShouldBe(12);
        twin.Desired.GetProperty("a").GetInt32().ShouldBe(1);
        twin.Reported.GetProperty("r").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task GetTwin_TwoAtOnce_EachGetsItsOwnAnswer()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var first = session.GetTwinAsync().AsTask();
        var second = session.GetTwinAsync().AsTask();
        var one = (await connection.TakePublishAsync()).Parsed.RequestId;
        var two = (await connection.TakePublishAsync()).Parsed.RequestId;
        await connection.PublishAsync(HubTopics.TwinResponse(200, two), Twin(2));
        (await second.WaitAsync(ScriptedHub.Patience)).DesiredVersion.ShouldBe(2);
        first.IsCompleted.ShouldBeFalse();
        await connection.PublishAsync(HubTopics.TwinResponse(200, one), Twin(1));
        (await first.WaitAsync(ScriptedHub.Patience)).DesiredVersion.ShouldBe(1);
    }

    [Fact]
    public async Task GetTwin_AnswerToAnotherRequest_IsIgnored()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var getting = session.GetTwinAsync().AsTask();
        var id = (await connection.TakePublishAsync()).Parsed.RequestId;
        await connection.PublishAsync(HubTopics.TwinResponse(200, "other"), Twin(1));
        await connection.PublishAsync("$iothub/twin/res/what", Twin(1));
        await connection.PublishAsync(HubTopics.TwinResponse(200, id), Twin(2));
        (await getting.WaitAsync(ScriptedHub.Patience)).DesiredVersion.ShouldBe(2);
    }

    [Fact]
    public async Task GetTwin_NeverAnswered_TimesOutAndTheSessionLives()
    {
        var time = new FakeTimeProvider();
        var (session, connection) = await hub.ConnectAsync(
            hub.Options with
            {
                TimeProvider = time,
                KeepAlive = TimeSpan.FromSeconds(600),
                OperationTimeout = TimeSpan.FromSeconds(30),
            }
        );
        await using var _ = session;
        // The watch over acknowledgements runs since the connect: what is due in exactly 30 s is then the wait for the answer.
        time.Advance(TimeSpan.FromSeconds(1));
        var first = session.GetTwinAsync().AsTask();
        await connection.TakePublishAsync();
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(30));
        time.Advance(TimeSpan.FromSeconds(30));
        await Should.ThrowAsync<TimeoutException>(first);
        session.IsConnected.ShouldBeTrue();
    }

    [Theory]
    [InlineData(400, """{"errorCode":400004,"message":"too deep"}""", "too deep", false)]
    [InlineData(429, "", "429", true)]
    [InlineData(500, "not json", "500", true)]
    [InlineData(413, "[]", "413", false)]
    public async Task UpdateReported_Refused_TellsStatusAndMessage(
        int status,
        string body,
        string message,
        bool isTransient
    )
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var updating = session.UpdateReportedAsync("{}"u8.ToArray()).AsTask();
        await connection.AnswerTwinAsync(status, body);
        var error = await Should.ThrowAsync<HubServiceException>(updating);
        error.Status.ShouldBe(status);
        error.Message.ShouldContain(message);
        error.IsTransient.ShouldBe(isTransient);
    }

    [Theory]
    [InlineData(204, null)]
    [InlineData(204, 8L)]
    [InlineData(200, null)]
    public async Task UpdateReported_Taken_TellsTheVersionIfTheHubDoes(int status, long? version)
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var updating = session.UpdateReportedAsync("""{"a":null}"""u8.ToArray());
        var request = await connection.AnswerTwinAsync(status, "", version);
        request.Topic.ShouldBe("$iothub/twin/PATCH/properties/reported/?$rid=1");
        request.Body.ShouldBe("""{"a":null}""");
        (await updating).ShouldBe(version);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"reported":{}}""")]
    [InlineData("""{"desired":{"$version":"x"},"reported":{}}""")]
    public async Task GetTwin_AnswerIsNoTwin_Fails(string body)
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var getting = session.GetTwinAsync().AsTask();
        await connection.AnswerTwinAsync(200, body);
        await Should.ThrowAsync<HubServiceException>(getting);
        session.IsConnected.ShouldBeTrue();
    }

    [Fact]
    public async Task ReadDesiredUpdates_TellsVersionAndPatch()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        await using var updates = session.ReadDesiredUpdatesAsync().GetAsyncEnumerator();
        var first = updates.MoveNextAsync().AsTask();
        await connection.GrantAsync(HubTopics.DesiredFilter);
        await connection.PublishAsync(HubTopics.DesiredPatch(3), "no json");
        await connection.PublishAsync("$iothub/twin/PATCH/properties/desired/", """{"b":2,"$version":4}""");
        await first.WaitAsync(ScriptedHub.Patience);
        updates.Current.Version.ShouldBe(4);
        updates.Current.Patch.GetProperty("b").GetInt32().ShouldBe(2);
    }

    [Fact]
    public async Task Watch_PatchesBeforeTheAnswer_AreComparedWithItsVersion()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        await using var changes = session.WatchTwinAsync().GetAsyncEnumerator();
        var first = changes.MoveNextAsync().AsTask();
        await connection.GrantAsync(HubTopics.DesiredFilter);
        var id = (await connection.TakePublishAsync()).Parsed.RequestId;
        await connection.PublishAsync(HubTopics.DesiredPatch(9), """{"old":1}""");
        await connection.PublishAsync(HubTopics.DesiredPatch(10), """{"old":2}""");
        await connection.PublishAsync(HubTopics.DesiredPatch(11), """{"new":3}""");
        await connection.PublishAsync(HubTopics.TwinResponse(200, id), Twin(10));
        await first.WaitAsync(ScriptedHub.Patience);
        changes.Current.Full!.DesiredVersion.ShouldBe(10);
        changes.Current.Update.ShouldBeNull();
        await changes.MoveNextAsync().AsTask().WaitAsync(ScriptedHub.Patience);
        (changes.Current.Version, changes.Current.Full).ShouldBe((11, null));
        changes.Current.Update!.Patch.GetProperty("new").GetInt32().ShouldBe(3);
    }

    [Fact]
    public async Task Watch_GapInTheVersions_AsksForTheWholeAgain()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        await using var changes = session.WatchTwinAsync().GetAsyncEnumerator();
        var first = changes.MoveNextAsync().AsTask();
        await connection.GrantAsync(HubTopics.DesiredFilter);
        await connection.AnswerTwinAsync(200, Twin(1));
        await first.WaitAsync(ScriptedHub.Patience);
        var second = changes.MoveNextAsync().AsTask();
        await connection.PublishAsync(HubTopics.DesiredPatch(3), """{"c":3}""");
        await connection.AnswerTwinAsync(200, Twin(4, "\"b\":2"));
        await second.WaitAsync(ScriptedHub.Patience);
        changes.Current.Full!.DesiredVersion.ShouldBe(4);
        changes.Current.Full.Desired.GetProperty("b").ValueKind.ShouldBe(JsonValueKind.Number);
        var third = changes.MoveNextAsync().AsTask();
        await connection.PublishAsync(HubTopics.DesiredPatch(4), "{}");
        await connection.PublishAsync(HubTopics.DesiredPatch(5), "{}");
        await third.WaitAsync(ScriptedHub.Patience);
        changes.Current.Version.ShouldBe(5);
    }

    [Fact]
    public async Task Watch_TwoAtOnce_BothSeeTheChangeAndShareOneSubscription()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var subscribing = session.SubscribeAsync(HubChannel.DesiredUpdates).AsTask();
        await connection.GrantAsync(HubTopics.DesiredFilter);
        var first = await subscribing;
        var second = await session.SubscribeAsync(HubChannel.DesiredUpdates); // No packet: it would never be granted.
        await first.DisposeAsync();
        await using var updates = second.GetAsyncEnumerator();
        var moving = updates.MoveNextAsync().AsTask();
        await connection.PublishAsync(HubTopics.DesiredPatch(2), "{}");
        await moving.WaitAsync(ScriptedHub.Patience);
        await second.DisposeAsync();
        (await connection.ExpectAsync<Mqtt.UnsubscribePacket>()).Filters.ShouldBe([HubTopics.DesiredFilter]);
    }
}
