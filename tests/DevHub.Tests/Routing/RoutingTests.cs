using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Queues;
using EdgeDm.DevHub.Routing;
using EdgeDm.DevHub.Twins;
using EdgeDm.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.DevHub.Tests.Routing;

public sealed class RoutingTests
{
    private static readonly HubIdentity Receiver = new("gateway", "b");

    private readonly FakeTimeProvider time = new();
    private readonly MessageStore store;
    private readonly UpstreamLog upstream;
    private readonly MessageRouter router;

    public RoutingTests()
    {
        store = new(10_000, journal: null, time);
        upstream = new(3, time);
        router = new("gateway", store, upstream, NullLogger<MessageRouter>.Instance);
    }

    [Fact]
    public async Task Route_TwoRoutesToOneEnd_GiveOneCopyByTheBetterPriority()
    {
        Configure(
            """
            {"low":{"route":"FROM /messages/* INTO BrokeredEndpoint(\"/modules/b/inputs/i\")","priority":5},
             "high":{"route":"FROM /messages/modules/a/* INTO BrokeredEndpoint(\"/modules/b/inputs/i\")","priority":1},
             "up":"FROM /* INTO $upstream","up2":"FROM /messages/* INTO $upstream",
             "other":"FROM /* INTO BrokeredEndpoint(\"/modules/b/inputs/j\")"}
            """
        );
        await router.RouteAsync(TestMessages.Of("x"), default);
        store
            .Waiting()
            .Select(w => (w.Key.ToString(), w.Value))
            .ShouldBe([("gateway/b/inputs/i", 1), ("gateway/b/inputs/j", 1)], true);
        upstream.After(0).Count.ShouldBe(1);
        store.Peek(Receiver)!.Priority.ShouldBe(1u);
    }

    [Theory]
    [InlineData(60, 10, 9, true)] // the route's
    [InlineData(60, 10, 10, false)]
    [InlineData(60, 0, 59, true)] // 0: the deployment's
    [InlineData(60, 0, 60, false)]
    [InlineData(-1, 0, 1_000_000, true)] // for ever
    [InlineData(0, 0, 0, false)]
    public async Task Next_TimeToLive_DropsWhatIsOver(int global, int route, int passed, bool alive)
    {
        Configure(
            $$$"""{"r":{"route":"FROM /* INTO BrokeredEndpoint(\"/modules/b/inputs/i\")","timeToLiveSecs":{{{route}}}}}""",
            global
        );
        await router.RouteAsync(TestMessages.Of("old"), default);
        time.Advance(TimeSpan.FromSeconds(passed));
        await store.EnqueueAsync(new(Receiver, "i"), TestMessages.Of("new"), 9, null, default);
        Drain().ShouldBe(alive ? (string)"newold" : "new", alive ? "the older has the lowest priority" : "");
    }

    [Fact]
    public void Upstream_MoreThanKept_ForgetsTheOldest()
    {
        for (var number = 1; number <= 5; number++)
        {
            upstream.Add(TestMessages.Of($"{number}"));
        }
        upstream.After(0).Select(m => m.Sequence).ShouldBe([3, 4, 5]);
        upstream.After(4).Select(m => TestMessages.TextOf(m.Message)).ShouldBe(["5"]);
        upstream.After(5).ShouldBeEmpty();
        // Never given: the hub was restarted since.
        upstream.After(99).Count.ShouldBe(3);
    }

    [Fact]
    public async Task Upstream_Wait_EndsWithAMessageOrInTime()
    {
        var waiting = upstream.WaitAsync(0, TimeSpan.FromSeconds(5), default);
        upstream.Add(TestMessages.Of("1"));
        (await waiting.WaitAsync(TestHub.Patience)).Count.ShouldBe(1);
        var idle = upstream.WaitAsync(1, TimeSpan.FromSeconds(5), default);
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(5));
        time.Advance(TimeSpan.FromSeconds(5));
        (await idle.WaitAsync(TestHub.Patience)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""{"schemaVersion":"1.0","routes":{"a":"FROM /* INTO $upstream","b":" "}}""", 1)]
    [InlineData("""{"schemaVersion":"1.0"}""", 0)]
    [InlineData("""{"schemaVersion":"1.3","routes":{"a":{"route":"FROM /* INTO $upstream","priority":9}}}""", 1)]
    [InlineData(
        """{"schemaVersion":"1.1","routes":{"a":{"route":"FROM /* INTO $upstream","priority":2000000000}}}""",
        1
    )]
    [InlineData(
        """{"schemaVersion":"1.2","routes":{},"mqttBroker":{"bridges":7},"integrity":null,"storeAndForwardConfiguration":null}""",
        0
    )]
    public void Parse_Desired_GivesRoutes(string desired, int count) =>
        RouteSet.Parse(JsonElement.Parse(desired)).Routes.Length.ShouldBe(count);

    [Theory]
    [InlineData("{}", "SchemaVersion")]
    [InlineData("""{"schemaVersion":"2.0","routes":{}}""", "SchemaVersion")]
    [InlineData("""{"schemaVersion":"1.4","routes":{}}""", "SchemaVersion")]
    [InlineData("""{"schemaVersion":"1.1","routes":{"a":" "}}""", "route a - Expected FROM at position 2")]
    [InlineData("""{"schemaVersion":"1.1","routes":{"":"FROM /* INTO $upstream"}}""", "no name")]
    [InlineData(
        """{"schemaVersion":"1.1","routes":{},"storeAndForwardConfiguration":{"timeToLiveSecs":"1"}}""",
        "timeToLiveSecs"
    )]
    [InlineData(
        """{"schemaVersion":"1.1","routes":{},"storeAndForwardConfiguration":{"storeLimits":{}}}""",
        "maxSizeBytes"
    )]
    [InlineData(
        """{"schemaVersion":"1.1","routes":{},"storeAndForwardConfiguration":{"storeLimits":{"maxSizeBytes":0}}}""",
        "maxSizeBytes"
    )]
    [InlineData("""{"schemaVersion":"1.1"}""", "'routes' is missing")]
    [InlineData("""{"schemaVersion":"1.1","routes":null}""", "'routes' is missing")]
    [InlineData("""{"schemaVersion":"1.0","routes":{"a":{"route":"FROM /* INTO $upstream"}}}""", "route a -")]
    [InlineData(
        """{"schemaVersion":"1.1","routes":{"a":{"route":"FROM /* INTO $upstream","priority":10}}}""",
        "0 to 9"
    )]
    [InlineData(
        """{"schemaVersion":"1.1","routes":{"a":{"route":"FROM /* INTO $upstream","timeToLiveSecs":-1}}}""",
        "timeToLiveSecs"
    )]
    [InlineData(
        """{"schemaVersion":"1.1","routes":{"good":"FROM /* INTO $upstream","bad":"FROM x"}}""",
        "Error parsing route bad -"
    )]
    public void Parse_BadDesired_SaysWhatIsWrong(string desired, string hint)
    {
        var error = Should.Throw<HubException>(() => RouteSet.Parse(JsonElement.Parse(desired)));
        error.Message.ShouldStartWith("Error while parsing desired properties - ");
        error.Message.ShouldContain(hint);
    }

    [Theory]
    [InlineData("1.0", """{"timeToLiveSecs":60,"storeLimits":{"maxSizeBytes":1024}}""", 60, 1024L)]
    [InlineData("1.3", """{"timeToLiveSecs":-1,"storeLimits":null}""", null, null)]
    [InlineData("1.1", "{}", 7200, null)]
    public void Parse_StoreAndForward_GivesItsLimits(string version, string store, int? seconds, long? bytes)
    {
        var set = RouteSet.Parse(
            JsonElement.Parse(
                $$"""{"schemaVersion":"{{version}}","routes":{},"storeAndForwardConfiguration":{{store}}}"""
            )
        );
        set.TimeToLive.ShouldBe(seconds is { } s ? TimeSpan.FromSeconds(s) : null);
        set.StoreLimit.ShouldBe(bytes);
    }

    [Fact]
    public async Task EdgeHubTwin_BadRoute_KeepsTheFormerOnesAndReports400()
    {
        await using var hub = await TestHub.StartAsync();
        hub.Route("FROM /messages/* INTO $upstream");
        var good = hub.Server.Router.Routes;
        hub.Configure(
            new JsonObject { ["fine"] = "FROM /* INTO $upstream", ["broken"] = "FROM /* WHERE x = 3 INTO $upstream" }
        );
        hub.Server.Router.Routes.ShouldBeSameAs(good);
        var id = new HubIdentity("gateway", "$edgeHub");
        Twin twin;
        using var limit = new CancellationTokenSource(TestHub.Patience);
        do
        {
            limit.Token.ThrowIfCancellationRequested();
            twin = hub.Server.Twins.Get(id);
            await Task.Yield();
        } while (!Status(twin, out var version, out _) || version < 3);
        Status(twin, out _, out var code);
        code.ShouldBe(400);
        twin.Reported.Properties.GetProperty("lastDesiredStatus")
            .GetProperty("description")
            .GetString()!
            .ShouldStartWith(
                "Error while parsing desired properties - Error parsing route broken - '=' at position 17 compares two values"
            );
    }

    private static bool Status(Twin twin, out long version, out int code)
    {
        (version, code) = (0, 0);
        if (!twin.Reported.Properties.TryGetProperty("lastDesiredVersion", out var found))
        {
            return false;
        }
        version = found.GetInt64();
        code = twin.Reported.Properties.GetProperty("lastDesiredStatus").GetProperty("code").GetInt32();
        return true;
    }

    private void Configure(string routes, int timeToLive = 7200) =>
        router.Routes = RouteSet.Parse(
            JsonElement.Parse(
                $$$"""{"schemaVersion":"1.1","routes":{{{routes}}},"storeAndForwardConfiguration":{"timeToLiveSecs":{{{timeToLive}}}}}"""
            )
        );

    private string Drain()
    {
        var text = "";
        while (store.Peek(Receiver) is { } next)
        {
            text += TestMessages.TextOf(next.Message);
            store.Complete(next);
        }
        return text;
    }
}
