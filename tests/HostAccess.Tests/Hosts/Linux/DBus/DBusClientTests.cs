using EdgeDm.HostAccess.Hosts.Linux.DBus;
using EdgeDm.HostAccess.Tests.Hosts.Linux.Support;
using EdgeDm.HostAccess.Tests.Support;

namespace EdgeDm.HostAccess.Tests.Hosts.Linux.DBus;

/// <summary>The client against a real dbus-daemon; the services on it are stand-ins.</summary>
public sealed class DBusClientTests : IAsyncLifetime
{
    private const string Name = "org.example.StandIn";
    private static readonly CancellationToken None = CancellationToken.None;

    private PrivateBus bus = null!;
    private DBusClient client = null!;

    public async ValueTask InitializeAsync()
    {
        bus = await PrivateBus.StartAsync();
        client = new(bus.SocketPath, TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        await bus.DisposeAsync();
    }

    [Fact]
    public async Task Call_TheBusItself_IsUnderstoodBothWays()
    {
        var names = await client.CallAsync(BusCall("ListNames"), None);
        names.Signature.ShouldBe("as");
        names.Read<object[]>().ShouldContain(DBusNames.Bus);
        var features = await client.GetAsync<object[]>(
            DBusNames.Bus,
            DBusNames.BusPath,
            DBusNames.Bus,
            "Features",
            None
        );
        features.ShouldAllBe(feature => feature is string);
        (await client.GetAllAsync(DBusNames.Bus, DBusNames.BusPath, DBusNames.Bus, None)).Keys.ShouldContain(
            "Interfaces"
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Call_AnyValues_ComeBackFromAServiceOfEitherByteOrder(bool bigEndian)
    {
        await using var service = await StandIn.StartAsync(bus.SocketPath, Name);
        service.BigEndian = bigEndian;
        service.On("Echo", call => new Answer(call.Signature, [.. call.Body]));
        for (var seed = 0; seed < 100; seed++)
        {
            var message = new RandomValues(new Random(seed)).Message();
            var answer = await client.CallAsync(Call("Echo", message.Signature, [.. message.Body]), None);
            answer.Signature.ShouldBe(message.Signature);
            RandomValues.Show(answer.Body).ShouldBe(RandomValues.Show(message.Body));
        }
    }

    [Fact]
    public async Task Call_ErrorReply_IsAnExceptionWithItsName()
    {
        var unknown = await Should.ThrowAsync<DBusErrorException>(() => client.CallAsync(Call("Any"), None));
        unknown.Name.ShouldBe("org.freedesktop.DBus.Error.ServiceUnknown");
        await using var service = await StandIn.StartAsync(bus.SocketPath, Name);
        service.Fail("Any", "org.example.Error.No", "not today");
        var refused = await Should.ThrowAsync<DBusErrorException>(() => client.CallAsync(Call("Any"), None));
        refused.Name.ShouldBe("org.example.Error.No");
        refused.Text.ShouldBe("not today");
    }

    [Fact]
    public async Task Call_WithoutAnAnswer_EndsWithItsTimeOrItsCaller()
    {
        await using var service = await StandIn.StartAsync(bus.SocketPath, Name);
        service.On("Silent", _ => null);
        service.On("Loud", "", _ => []);
        var limited = Call("Silent") with { TimeLimit = TimeSpan.FromMilliseconds(50) };
        (await Should.ThrowAsync<DBusTimeoutException>(() => client.CallAsync(limited, None))).Message.ShouldContain(
            $"{Name} did not answer Silent within 0.05 s"
        );
        using var caller = new CancellationTokenSource();
        var pending = client.CallAsync(Call("Silent"), caller.Token);
        await caller.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => pending);
        await client.CallAsync(Call("Loud"), None); // The connection lives.
    }

    [Fact]
    public async Task Call_MoreThanMayWait_IsRefusedAtOnce()
    {
        await using var service = await StandIn.StartAsync(bus.SocketPath, Name);
        service.On("Silent", _ => null);
        await using var small = new DBusClient(bus.SocketPath, TimeProvider.System, new() { MaxPendingCalls = 2 });
        using var caller = new CancellationTokenSource();
        var first = small.CallAsync(Call("Silent"), caller.Token);
        await service.CalledAsync("Silent");
        var second = small.CallAsync(Call("Silent"), caller.Token);
        await service.CalledAsync("Silent", 2);
        (
            await Should.ThrowAsync<DBusConnectionException>(() => small.CallAsync(Call("Silent"), None))
        ).Message.ShouldContain("2 calls wait");
        await caller.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => Task.WhenAll(first, second));
        await small.CallAsync(BusCall("GetId"), None);
    }

    [Fact]
    public async Task Call_BusRestarted_FailsWhatWasUnderWayAndConnectsAnew()
    {
        var service = await StandIn.StartAsync(bus.SocketPath, Name);
        service.On("Silent", _ => null);
        var pending = client.CallAsync(Call("Silent"), None);
        await service.CalledAsync("Silent");
        await bus.StopAsync();
        await Should.ThrowAsync<DBusConnectionException>(() => pending);
        await service.DisposeAsync();
        (
            await Should.ThrowAsync<DBusConnectionException>(() => client.CallAsync(BusCall("GetId"), None))
        ).Message.ShouldContain(bus.SocketPath);
        await bus.RestartAsync();
        await client.CallAsync(BusCall("GetId"), None);
    }

    [Fact]
    public async Task Subscribe_SignalsOfTheOwner_ComeInOrderAndForgedOnesDoNot()
    {
        await using var service = await StandIn.StartAsync(bus.SocketPath, Name);
        service.On("WhoAsks", "s", call => [call.Sender!]);
        await using var stranger = await StandIn.StartAsync(bus.SocketPath, "org.example.Stranger");
        using var signals = await client.SubscribeAsync(new(Name, "/a", "org.example.I", "Changed"), None);
        var us = (await client.CallAsync(Call("WhoAsks"), None)).Read<string>();
        await stranger.SignalAsync("/a", "org.example.I", "Changed", "s", ["forged"], destination: us);
        await stranger.CalledBackAsync(client, "org.example.Stranger"); // The forged signal was delivered before this answer.
        await service.SignalAsync("/b", "org.example.I", "Changed", "s", ["of another object"]);
        await service.SignalAsync("/a", "org.example.I", "Changed", "s", ["first"]);
        await service.SignalAsync("/a", "org.example.I", "Changed", "s", ["second"]);
        var seen = new List<string>();
        await signals
            .FirstAsync(
                signal =>
                {
                    seen.Add(signal.Read<string>());
                    return seen.Count == 2;
                },
                None
            )
            .WaitAsync(TestGateway.Patience);
        seen.ShouldBe(["first", "second"]);
    }

    [Fact]
    public async Task Subscribe_ServiceLeavesTheBus_EndsWithAnException()
    {
        var service = await StandIn.StartAsync(bus.SocketPath, Name);
        using var signals = await client.SubscribeAsync(new(Name, "/a", "org.example.I", "Changed"), None);
        await service.DisposeAsync();
        var end = signals.FirstAsync(_ => true, None).WaitAsync(TestGateway.Patience);
        (await Should.ThrowAsync<DBusConnectionException>(() => end)).Message.ShouldContain("left the bus");
    }

    [Fact]
    public async Task Subscribe_QueueAtItsLimit_IsReadAndOneMoreEndsIt()
    {
        await using var service = await StandIn.StartAsync(bus.SocketPath, Name);
        await using var small = new DBusClient(
            bus.SocketPath,
            TimeProvider.System,
            new() { MaxQueuedSignals = 2, MaxSubscriptions = 1 }
        );
        var match = new DBusMatch(Name, "/a", "org.example.I", "Changed");
        using (var signals = await small.SubscribeAsync(match, None))
        {
            await Should.ThrowAsync<DBusConnectionException>(() => small.SubscribeAsync(match, None));
            await SignalTwiceAsync();
            var count = 0;
            await signals.FirstAsync(_ => ++count == 2, None).WaitAsync(TestGateway.Patience);
        }
        using var again = await small.SubscribeAsync(match, None);
        await SignalTwiceAsync();
        await service.SignalAsync("/a", "org.example.I", "Changed", "", []);
        await service.CalledBackAsync(small, Name);
        var end = again.FirstAsync(_ => false, None).WaitAsync(TestGateway.Patience);
        (await Should.ThrowAsync<DBusConnectionException>(() => end)).Message.ShouldContain("More signals Changed");

        async Task SignalTwiceAsync()
        {
            await service.SignalAsync("/a", "org.example.I", "Changed", "", []);
            await service.SignalAsync("/a", "org.example.I", "Changed", "", []);
            await service.CalledBackAsync(small, Name);
        }
    }

    private static DBusCall Call(string member, string signature = "", params object[] arguments) =>
        new(Name, "/a", "org.example.I", member, signature, arguments);

    private static DBusCall BusCall(string member) => new(DBusNames.Bus, DBusNames.BusPath, DBusNames.Bus, member);
}
