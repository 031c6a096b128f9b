using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using EdgeDm.DevHub;
using EdgeDm.Hub;

namespace EdgeDm.Cli.Tests;

/// <summary>Faults on purpose, turned on by the real program, as sessions of modules see them through real sockets.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class FaultTests : DevHubTestBase
{
    private const string Sender = "Sender";
    private const string Receiver = "Receiver";

    private protected override IEnumerable<string> Modules => [Sender, Receiver];

    private protected override DevHubOptions Options =>
        base.Options with
        {
            MessageAckTimeout = TimeSpan.FromSeconds(1), // Well above what an acknowledgement takes on a busy machine.
        };

    [Fact]
    public async Task Cut_OneModule_IsShutOutUntilRestoredAndNoOtherIs()
    {
        await using var cut = await ConnectAsync(Sender);
        await using var other = await ConnectAsync(Receiver);

        (await RunAsync("hub", "cut", "--module", Sender))
            .ShouldExitWith(0)
            .Output.ShouldContain("Fault 1: cut, of gateway/Sender, until it is ended.");

        (await cut.Completion.WaitAsync(Patience)).Reason.ShouldNotBe(SessionEndReason.Disposed);
        await Should.ThrowAsync<ConnectFailedException>(async () => await ConnectAsync(Sender));
        await other.GetTwinAsync();
        (await RunAsync("hub", "restore")).ShouldExitWith(0).Output.ShouldContain("Ended 1: cut");
        await using var again = await ConnectAsync(Sender);
        await again.GetTwinAsync();
    }

    [Fact]
    public async Task Cut_Silent_EndsTheSessionByItsKeepAliveAndTheNextBegins()
    {
        var ends = new ConcurrentQueue<SessionEndReason>();
        var connected = new SemaphoreSlim(0);
        using var stop = new CancellationTokenSource();
        var options = OptionsOf(Sender) with
        {
            KeepAlive = TimeSpan.FromSeconds(1),
            ConnectTimeout = TimeSpan.FromSeconds(1),
        };
        var running = HubReconnect.RunAsync(
            _ => ValueTask.FromResult(options),
            async (session, cancellationToken) =>
            {
                connected.Release();
                ends.Enqueue((await session.Completion.WaitAsync(cancellationToken)).Reason);
                await session.GetTwinAsync(cancellationToken); // Throws as it ended.
            },
            _ => new(Retry: true, TimeSpan.FromMilliseconds(50)),
            cancellationToken: stop.Token
        );
        (await connected.WaitAsync(Patience)).ShouldBeTrue();

        (await RunAsync("hub", "cut", "--silent", "--for", "4s")).ShouldExitWith(0);

        (await connected.WaitAsync(Patience)).ShouldBeTrue();
        ends.ShouldNotBeEmpty();
        ends.ShouldAllBe(end => end == SessionEndReason.KeepAliveTimeout);
        (await RunAsync("hub", "faults")).ShouldExitWith(0).Output.ShouldContain("Nothing goes wrong on purpose.");
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(running);
    }

    [Fact]
    public async Task Cut_SilentAndShort_TheSessionOutlivesIt()
    {
        await using var session = await ConnectAsync(Sender);

        (await RunAsync("hub", "cut", "--silent")).ShouldExitWith(0);
        var answer = session.GetTwinAsync();
        (await RunAsync("hub", "status")).ShouldExitWith(0).Output.ShouldContain("On purpose: fault 1: silent cut");
        answer.IsCompleted.ShouldBeFalse();
        (await RunAsync("hub", "restore", "1")).ShouldExitWith(0);

        (await answer.AsTask().WaitAsync(Patience)).DesiredVersion.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Cut_WithHttps_EndsCallsOfModulesAndNotOfServices()
    {
        await using var caller = await ConnectAsync(Sender);

        (await RunAsync("hub", "cut", "--https", "--module", Receiver)).ShouldExitWith(0);
        var free = await Should.ThrowAsync<HubServiceException>(async () =>
            await caller.InvokeMethodAsync(new("gateway", Receiver), "echo", new())
        );
        (await RunAsync("hub", "cut", "--https", "--module", Sender)).ShouldExitWith(0);
        await Should.ThrowAsync<EdgeDm.Hub.HubException>(async () =>
            await caller.InvokeMethodAsync(new("gateway", Receiver), "echo", new())
        );

        free.Status.ShouldBe(404, "it is the caller's requests that are cut");
        (await RunAsync("hub", "restore")).ShouldExitWith(0);
    }

    [Fact]
    public async Task Slow_Latency_IsOnEachWay()
    {
        var latency = TimeSpan.FromMilliseconds(300);
        await using var session = await ConnectAsync(Sender);
        await session.GetTwinAsync();

        (await RunAsync("hub", "slow", "--latency", "300ms", "--rate", "100000")).ShouldExitWith(0);
        var watch = Stopwatch.StartNew();
        await session.GetTwinAsync();

        watch.Elapsed.ShouldBeGreaterThan(2 * latency - TimeSpan.FromMilliseconds(20));
        (await RunAsync("hub", "faults", "--json")).Json[0]!["bytesPerSecond"]!.GetValue<int>().ShouldBe(100_000);
    }

    [Fact]
    public async Task DropAcks_NextTwo_ComeTwiceAndNoneIsLost()
    {
        const int Messages = 5;
        RouteToReceiver();
        await using var receiver = await ConnectAsync(Receiver);
        await using var inputs = await receiver.SubscribeAsync(HubChannel.Inputs);
        (await RunAsync("hub", "drop", "acks", "--module", Sender, "--next", "2")).ShouldExitWith(0);

        var sending = SendAsync(Messages);
        var received = new List<int>();
        await foreach (var message in inputs)
        {
            received.Add(int.Parse(message.GetText(), CultureInfo.InvariantCulture));
            await message.AckAsync();
            if (received[^1] == Messages)
            {
                break;
            }
        }
        await sending.WaitAsync(Patience);

        received.Take(3).ShouldBe([1, 1, 1]);
        received.Distinct().ShouldBe(Enumerable.Range(1, Messages));
        var faults = (await RunAsync("hub", "faults", "--json")).ShouldExitWith(0).Json;
        faults[0]!["dropped"]!.GetValue<int>().ShouldBe(2);
    }

    [Fact]
    public async Task DropClientAcks_SameSeed_SameMessagesComeTwice()
    {
        const int Messages = 6;
        string[] drop = ["hub", "drop", "client-acks", "--share", "0.4", "--seed", "7", "--json"];
        RouteToReceiver();
        await using var sender = await ConnectAsync(Sender);
        await using var receiver = await ConnectAsync(Receiver);
        await using var inputs = await receiver.SubscribeAsync(HubChannel.Inputs);
        await using var messages = inputs.GetAsyncEnumerator();

        var runs = new List<string>();
        for (var run = 1; run <= 2; run++)
        {
            (await RunAsync(drop)).ShouldExitWith(0).Json["seed"]!.GetValue<int>().ShouldBe(7);
            for (var number = 1; number <= Messages; number++)
            {
                await sender.SendToOutputAsync("out", OutboundMessage.FromText($"{number}"));
            }
            var received = new List<int>();
            // All acknowledgements of the last one may be dropped, so one more tells that it is over.
            while (received.Count == 0 || received[^1] < Messages)
            {
                (await messages.MoveNextAsync().AsTask().WaitAsync(Patience)).ShouldBeTrue();
                received.Add(int.Parse(messages.Current.GetText(), CultureInfo.InvariantCulture));
                await messages.Current.AckAsync();
            }
            (await RunAsync("hub", "restore")).ShouldExitWith(0);
            await sender.SendToOutputAsync("out", OutboundMessage.FromText("0"));
            do
            {
                (await messages.MoveNextAsync().AsTask().WaitAsync(Patience)).ShouldBeTrue();
                await messages.Current.AckAsync();
            } while (messages.Current.GetText() != "0");
            received.Distinct().ShouldBe(Enumerable.Range(1, Messages));
            received.Count.ShouldBeGreaterThan(Messages);
            runs.Add(string.Join(' ', received));
        }

        runs[1].ShouldBe(runs[0]);
    }

    [Fact]
    public async Task Restart_OfTheHub_EndsAllFaults()
    {
        (await RunAsync("hub", "cut")).ShouldExitWith(0);

        await RestartAsync();

        (await RunAsync("hub", "faults", "--json")).ShouldExitWith(0).Json.AsArray().ShouldBeEmpty();
        await using var session = await ConnectAsync(Sender);
    }

    [Theory]
    [InlineData("slow", "Say how slow")]
    [InlineData("drop acks", "either --next or --share")]
    [InlineData("drop acks --next 1 --share 0.1", "either --next or --share")]
    [InlineData("drop everything --next 1", "everything")]
    [InlineData("cut --for 3", "'3' is no time")]
    [InlineData("cut --for 25h", "'25h' is no time")]
    [InlineData("slow --latency 0s", "'0s' is no time")]
    public async Task Fault_WrongUsage_ExitsWith2AndSaysWhatIsWrong(string arguments, string what) =>
        (await RunAsync(["hub", .. arguments.Split(' ')])).ShouldExitWith(2).Error.ShouldContain(what);

    [Theory]
    [InlineData("cut --module Nobody", "has no module 'Nobody'")]
    [InlineData("drop acks --share 1.5", "'share'")]
    [InlineData("slow --rate 99", "'bytesPerSecond' must be 100 or more")]
    [InlineData("restore 99", "There is no fault 99")]
    public async Task Fault_HubRefuses_ExitsWith1AndSaysWhy(string arguments, string what) =>
        (await RunAsync(["hub", .. arguments.Split(' ')])).ShouldExitWith(1).Error.ShouldContain(what);

    private void RouteToReceiver() =>
        Hub.ApplyManifest(
            JsonNode
                .Parse(
                    """
                    {"$edgeHub":{"properties.desired":{"schemaVersion":"1.1","routes":{
                      "r":"FROM /messages/modules/Sender/outputs/out INTO BrokeredEndpoint(\"/modules/Receiver/inputs/in\")"}}}}
                    """
                )!
                .AsObject()
        );

    /// <summary>Sends one after the other, each until it is acknowledged, with a connection for each try that fails.</summary>
    private async Task SendAsync(int count)
    {
        var next = 1;
        await HubReconnect.RunAsync(
            _ => ValueTask.FromResult(OptionsOf(Sender) with { OperationTimeout = TimeSpan.FromSeconds(2) }),
            async (session, cancellationToken) =>
            {
                while (next <= count)
                {
                    await session.SendToOutputAsync("out", OutboundMessage.FromText($"{next}"), cancellationToken);
                    next++;
                }
            },
            _ => new(Retry: true, TimeSpan.Zero)
        );
    }
}
