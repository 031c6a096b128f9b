using System.Text;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

/// <summary>What all kinds of incoming data have in common.</summary>
public sealed class FeedTests : IAsyncLifetime
{
    private static readonly Dictionary<string, Feed> Feeds = new(StringComparer.Ordinal)
    {
        ["inputs"] = new(
            "Module",
            HubTopics.InputsFilter("gateway", "Module"),
            (session, token) => Texts(session.ReadInputsAsync(null, token)),
            (connection, text, id) => connection.PublishInputAsync("in", text, id)
        ),
        ["cloud messages"] = new(
            null,
            HubTopics.CloudMessagesFilter("gateway"),
            (session, token) => Texts(session.ReadCloudMessagesAsync(token)),
            (connection, text, id) =>
                connection.PublishAsync(HubTopics.CloudMessage("gateway", new() { { "$.to", "/d" } }), text, id)
        ),
        ["methods"] = new(
            "Module",
            HubTopics.MethodFilter,
            (session, token) => session.ReadMethodRequestsAsync(token).Select(request => request.Name),
            (connection, text, id) => connection.PublishAsync(HubTopics.MethodRequest(text, $"{id}"), "{}")
        ),
        ["desired"] = new(
            "Module",
            HubTopics.DesiredFilter,
            (session, token) =>
                session.ReadDesiredUpdatesAsync(token).Select(update => update.Patch.GetProperty("text").GetString()!),
            (connection, text, id) =>
                connection.PublishAsync(HubTopics.DesiredPatch(id), $$"""{"text":"{{text}}","$version":{{id}}}""")
        ),
    };

    private readonly ScriptedHub hub = new();

    public static TheoryData<string> Kinds => [.. Feeds.Keys];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Loop_Begun_SubscribesAndWaitsForTheGrant(string kind)
    {
        var (feed, session, connection) = await ConnectAsync(kind);
        await using var _ = session;
        await using var items = feed.Read(session, default).GetAsyncEnumerator();
        var first = items.MoveNextAsync().AsTask();
        var subscribe = await connection.ExpectAsync<SubscribePacket>();
        subscribe.Filters.ShouldHaveSingleItem().Filter.ShouldBe(feed.Filter);
        await feed.DeliverAsync(connection, "early", 1);
        await connection.ProveReadAsync(session);
        first.IsCompleted.ShouldBeFalse(); // It came, but nothing is handed out before the hub has granted.
        await connection.SendAsync(new SubackPacket(subscribe.PacketId, [(byte)subscribe.Filters[0].QoS]).Write);
        (await first.WaitAsync(ScriptedHub.Patience)).ShouldBeTrue();
        items.Current.ShouldBe("early");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Loop_GetsWhatComesInOrder(string kind)
    {
        var (feed, session, connection) = await ConnectAsync(kind);
        await using var _ = session;
        var loop = TakeAsync(feed.Read(session, default), 3);
        await connection.GrantAsync(feed.Filter);
        await feed.DeliverAsync(connection, "a", 1);
        await feed.DeliverAsync(connection, "b", 2);
        await feed.DeliverAsync(connection, "c", 3);
        (await loop.WaitAsync(ScriptedHub.Patience)).ShouldBe(["a", "b", "c"]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Loop_Left_Unsubscribes(string kind)
    {
        var (feed, session, connection) = await ConnectAsync(kind);
        await using var _ = session;
        var loop = TakeAsync(feed.Read(session, default), 1);
        await connection.GrantAsync(feed.Filter);
        await feed.DeliverAsync(connection, "a", 1);
        await loop.WaitAsync(ScriptedHub.Patience);
        (await NextUnsubscribeAsync(connection)).Filters.ShouldBe([feed.Filter]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Loop_BodyThrows_UnsubscribesAndTheErrorComesOut(string kind)
    {
        var (feed, session, connection) = await ConnectAsync(kind);
        await using var _ = session;
        var loop = ThrowAsync(feed.Read(session, default));
        await connection.GrantAsync(feed.Filter);
        await feed.DeliverAsync(connection, "a", 1);
        (await Should.ThrowAsync<NotSupportedException>(loop)).Message.ShouldBe("a");
        (await NextUnsubscribeAsync(connection)).Filters.ShouldBe([feed.Filter]);
        session.IsConnected.ShouldBeTrue();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Loop_Cancelled_EndsSoAndUnsubscribes(string kind)
    {
        var (feed, session, connection) = await ConnectAsync(kind);
        await using var _ = session;
        using var cancel = new CancellationTokenSource();
        var loop = TakeAsync(feed.Read(session, cancel.Token), 1);
        await connection.GrantAsync(feed.Filter);
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(loop);
        (await NextUnsubscribeAsync(connection)).Filters.ShouldBe([feed.Filter]);
        session.IsConnected.ShouldBeTrue();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Loop_CancelledWhileItSubscribes_LeavesNothingSubscribed(string kind)
    {
        var (feed, session, connection) = await ConnectAsync(kind);
        await using var _ = session;
        using var cancel = new CancellationTokenSource();
        var loop = TakeAsync(feed.Read(session, cancel.Token), 1);
        await connection.ExpectAsync<SubscribePacket>(); // And no answer.
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(loop);
        await connection.ExpectAsync<UnsubscribePacket>();
        var again = TakeAsync(feed.Read(session, default), 1);
        await connection.GrantAsync(feed.Filter);
        await feed.DeliverAsync(connection, "a", 1);
        (await again.WaitAsync(ScriptedHub.Patience)).ShouldBe(["a"]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Loop_ConnectionLost_ThrowsTheCauseAndSendsNothing(string kind)
    {
        var (feed, session, connection) = await ConnectAsync(kind);
        await using var _ = session;
        var loop = TakeAsync(feed.Read(session, default), 1);
        await connection.GrantAsync(feed.Filter);
        await connection.SendBytesAsync(new byte[] { 0xFF });
        var error = await Should.ThrowAsync<ConnectionLostException>(loop);
        error.Reason.ShouldBe(SessionEndReason.ProtocolError);
        error.InnerException.ShouldBeOfType<MqttProtocolException>();
        await connection.ExpectEndAsync(); // No UNSUBSCRIBE, no DISCONNECT.
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Loop_SessionDisposed_EndsNormally(string kind)
    {
        var (feed, session, connection) = await ConnectAsync(kind);
        var loop = TakeAsync(feed.Read(session, default), 1);
        await connection.GrantAsync(feed.Filter);
        await connection.ProveReadAsync(session); // A loop that is not granted yet does not end, it never began.
        await session.DisposeAsync();
        (await loop.WaitAsync(ScriptedHub.Patience)).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Loop_AfterTheEnd_FailsAtOnce(string kind)
    {
        var (feed, session, connection) = await ConnectAsync(kind);
        connection.Drop();
        await session.Completion.WaitAsync(ScriptedHub.Patience);
        await Should.ThrowAsync<ConnectionLostException>(() => TakeAsync(feed.Read(session, default), 1));
        await session.DisposeAsync();

        var (_, disposed, _) = await ConnectAsync(kind);
        await disposed.DisposeAsync();
        await Should.ThrowAsync<ObjectDisposedException>(() => TakeAsync(feed.Read(disposed, default), 1));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Loop_SubscriptionRefused_ThrowsAndTheSessionLives(string kind)
    {
        var (feed, session, connection) = await ConnectAsync(kind);
        await using var _ = session;
        var loop = TakeAsync(feed.Read(session, default), 1);
        await connection.GrantAsync(feed.Filter, SubackPacket.Failure);
        (await Should.ThrowAsync<SubscriptionRefusedException>(loop)).Filter.ShouldBe(feed.Filter);
        await connection.ExpectAsync<UnsubscribePacket>();
        await connection.ProveReadAsync(session);
    }

    [Fact]
    public async Task OtherIdentity_HasNoSuchChannel()
    {
        var (_, module, _) = await ConnectAsync("inputs");
        await using var _ = module;
        await Should.ThrowAsync<InvalidOperationException>(() => TakeAsync(Texts(module.ReadCloudMessagesAsync()), 1));
        await Should.ThrowAsync<InvalidOperationException>(() =>
            module.SubscribeAsync(HubChannel.CloudMessages).AsTask()
        );
        var (_, device, _) = await ConnectAsync("cloud messages");
        await using var __ = device;
        await Should.ThrowAsync<InvalidOperationException>(() => TakeAsync(Texts(device.ReadInputsAsync()), 1));
        await Should.ThrowAsync<InvalidOperationException>(() => device.SubscribeAsync(HubChannel.Inputs).AsTask());
    }

    private async Task<(Feed Feed, IoTHubSession Session, ScriptedConnection Connection)> ConnectAsync(string kind)
    {
        var feed = Feeds[kind];
        var (session, connection) = await hub.ConnectAsync(hub.Options with { ModuleId = feed.Module });
        return (feed, session, connection);
    }

    /// <summary>Acknowledgements may come before it.</summary>
    private static async Task<UnsubscribePacket> NextUnsubscribeAsync(ScriptedConnection connection)
    {
        while (true)
        {
            switch (await connection.ReadAsync())
            {
                case UnsubscribePacket found:
                    return found;
                case PubackPacket:
                    break;
                case var other:
                    throw new InvalidOperationException($"UNSUBSCRIBE should come, but {other ?? "the end"} did.");
            }
        }
    }

    private static IAsyncEnumerable<string> Texts(IAsyncEnumerable<HubMessage> messages) =>
        messages.Select(message => Encoding.UTF8.GetString(message.Payload.Span));

    private static async Task<List<string>> TakeAsync(IAsyncEnumerable<string> items, int count)
    {
        var taken = new List<string>();
        await foreach (var item in items)
        {
            taken.Add(item);
            if (taken.Count == count)
            {
                break;
            }
        }
        return taken;
    }

    private static async Task ThrowAsync(IAsyncEnumerable<string> items)
    {
        await foreach (var item in items)
        {
            throw new NotSupportedException(item);
        }
    }

    private sealed record Feed(
        string? Module,
        string Filter,
        Func<IoTHubSession, CancellationToken, IAsyncEnumerable<string>> Read,
        Func<ScriptedConnection, string, ushort, Task> DeliverAsync
    );
}
