using System.Buffers;
using System.Text;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

/// <summary>What a network and a hub can do wrong.</summary>
public sealed class FaultTests : IAsyncLifetime
{
    private const string Twin = """{"desired":{"$version":1},"reported":{"$version":1}}""";

    /// <summary>Where CONNACK ends in <see cref="HubsHalf"/>, and the grant behind it.</summary>
    private const int Connack = 4,
        Welcome = 9;

    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    /// <summary>The hub's half of a conversation: CONNACK, the grant, an acknowledgement, a twin, an input message.</summary>
    private static byte[] HubsHalf
    {
        get
        {
            var bytes = new ArrayBufferWriter<byte>();
            new ConnackPacket(false, ConnackCode.Accepted).Write(bytes);
            new SubackPacket(1, [0]).Write(bytes);
            PubackPacket.Write(bytes, 2);
            PublishPacket.Write(
                bytes,
                HubTopics.TwinResponse(200, "1"),
                Encoding.UTF8.GetBytes(Twin),
                MqttQoS.AtMostOnce,
                0
            );
            PublishPacket.Write(bytes, "devices/gateway/modules/Module/inputs/in/a=b", "1"u8, MqttQoS.AtLeastOnce, 7);
            return bytes.WrittenSpan.ToArray();
        }
    }

    /// <summary>Every place where the connection can break, in steps that keep the test short.</summary>
    public static TheoryData<int> Cuts => [.. Enumerable.Range(0, HubsHalf.Length).Where(at => at < 16 || at % 7 == 0)];

    [Theory]
    [MemberData(nameof(Cuts))]
    public async Task Connection_DropsBehindAnyByte_EverythingEndsAndNothingHangs(int at)
    {
        var connecting = IoTHubSession.ConnectAsync(hub.Options).AsTask();
        await using var connection = await hub.AcceptAsync();
        await connection.ExpectAsync<ConnectPacket>();
        var half = HubsHalf;
        await connection.SendBytesAsync(half.AsMemory(0, Math.Min(at, Connack)));
        if (at > Connack)
        {
            await connection.ExpectAsync<SubscribePacket>();
            await connection.SendBytesAsync(half.AsMemory(Connack, Math.Min(at, Welcome) - Connack));
        }
        if (at < Welcome)
        {
            connection.Drop();
            await Should.ThrowAsync<ConnectFailedException>(connecting.WaitAsync(ScriptedHub.Patience));
            return;
        }
        await using var session = await connecting.WaitAsync(ScriptedHub.Patience);
        var twin = session.GetTwinAsync().AsTask();
        await connection.ExpectAsync<ReceivedPublish>();
        await connection.SendBytesAsync(half.AsMemory(Welcome, at - Welcome));
        connection.Drop();
        var end = await session.Completion.WaitAsync(ScriptedHub.Patience);
        end.Reason.ShouldBeOneOf(SessionEndReason.ClosedByPeer, SessionEndReason.NetworkError);
        await Task.WhenAny(twin).WaitAsync(ScriptedHub.Patience); // Answered in time or lost, but over.
        if (twin.IsFaulted)
        {
            twin.Exception!.InnerException.ShouldBeOfType<ConnectionLostException>();
        }
    }

    [Fact]
    public async Task Bytes_OneByOne_AreUnderstood()
    {
        var connecting = IoTHubSession.ConnectAsync(hub.Options).AsTask();
        await using var connection = await hub.AcceptAsync();
        await connection.ExpectAsync<ConnectPacket>();
        var half = HubsHalf;
        await OneByOneAsync(half[..Connack]);
        await connection.ExpectAsync<SubscribePacket>();
        await OneByOneAsync(half[Connack..Welcome]);
        await using var session = await connecting.WaitAsync(ScriptedHub.Patience);
        var twin = session.GetTwinAsync().AsTask();
        await connection.ExpectAsync<ReceivedPublish>();
        await OneByOneAsync(half[Welcome..]);
        (await twin.WaitAsync(ScriptedHub.Patience)).DesiredVersion.ShouldBe(1);

        async Task OneByOneAsync(byte[] bytes)
        {
            foreach (var value in bytes)
            {
                await connection.SendBytesAsync(new[] { value });
            }
        }
    }

    [Theory]
    [InlineData(new byte[] { 0x30, 0xFF, 0xFF, 0xFF, 0xFF })] // five bytes of length
    [InlineData(new byte[] { 0x30, 0xFF, 0xFF, 0xFF, 0x7F })] // 256 MB are announced
    [InlineData(new byte[] { 0x90, 0x00 })] // SUBACK without a body
    [InlineData(new byte[] { 0x32, 0x02, 0xFF, 0xFF })] // a topic longer than its packet
    [InlineData(new byte[] { 0x00, 0x00 })] // type 0
    public async Task Lengths_Garbage_EndTheSessionBeforeMemoryIsTaken(byte[] bytes)
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var before = GC.GetTotalAllocatedBytes();
        await connection.SendBytesAsync(bytes);
        (await session.Completion.WaitAsync(ScriptedHub.Patience)).Reason.ShouldBe(SessionEndReason.ProtocolError);
        (GC.GetTotalAllocatedBytes() - before).ShouldBeLessThan(16 * 1024 * 1024);
    }

    [Fact]
    public async Task HalfOpenLink_PendingSend_FailsAtOneAndAHalfTimesTheKeepAlive()
    {
        var time = new FakeTimeProvider();
        var (session, connection) = await hub.ConnectAsync(
            hub.Options with
            {
                TimeProvider = time,
                KeepAlive = TimeSpan.FromSeconds(10),
                OperationTimeout = TimeSpan.FromMinutes(10),
            }
        );
        await using var _ = session;
        var sending = session.SendTelemetryAsync(new("{}"u8.ToArray())).AsTask();
        await connection.ExpectAsync<ReceivedPublish>();
        time.Advance(TimeSpan.FromSeconds(5));
        await connection.ExpectAsync(MqttPacketType.Pingreq);
        time.Advance(TimeSpan.FromSeconds(10));
        var error = await Should.ThrowAsync<ConnectionLostException>(sending.WaitAsync(ScriptedHub.Patience));
        (error.Reason, error.OutcomeUnknown).ShouldBe((SessionEndReason.KeepAliveTimeout, true));
    }

    [Fact]
    public async Task Acknowledgements_ReorderedAndTwice_CompleteTheirOwnSends()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var sends = Enumerable.Range(0, 5).Select(_ => session.SendTelemetryAsync(new("{}"u8.ToArray())).AsTask());
        var waiting = sends.ToArray();
        var ids = new List<ushort>();
        foreach (var __ in waiting)
        {
            ids.Add((await connection.ExpectAsync<ReceivedPublish>()).PacketId);
        }
        foreach (var index in (int[])[4, 4, 2, 0, 2, 3])
        {
            await connection.SendAsync(w => PubackPacket.Write(w, ids[index]));
        }
        foreach (var index in (int[])[4, 2, 0, 3])
        {
            await waiting[index].WaitAsync(ScriptedHub.Patience);
        }
        waiting[1].IsCompleted.ShouldBeFalse();
        await connection.SendAsync(w => PubackPacket.Write(w, ids[1]));
        await waiting[1].WaitAsync(ScriptedHub.Patience);
    }

    [Fact]
    public async Task Acknowledgements_OneNeverComes_OnlyThatSendTimesOutAndTheOthersAreLost()
    {
        var time = new FakeTimeProvider();
        var (session, connection) = await hub.ConnectAsync(Patient(time));
        await using var _ = session;
        var late = session.SendTelemetryAsync(new("1"u8.ToArray())).AsTask();
        await connection.ExpectAsync<ReceivedPublish>();
        time.Advance(TimeSpan.FromSeconds(20));
        var young = session.SendTelemetryAsync(new("2"u8.ToArray())).AsTask();
        await connection.ExpectAsync<ReceivedPublish>();
        time.Advance(TimeSpan.FromSeconds(10));
        await Should.ThrowAsync<TimeoutException>(late.WaitAsync(ScriptedHub.Patience));
        var lost = await Should.ThrowAsync<ConnectionLostException>(young.WaitAsync(ScriptedHub.Patience));
        (lost.Reason, lost.OutcomeUnknown).ShouldBe((SessionEndReason.AckTimeout, true));
    }

    [Fact]
    public async Task Acknowledgement_OfASendThatItsCallerGaveUp_StillHasItsTime()
    {
        var time = new FakeTimeProvider();
        var (session, connection) = await hub.ConnectAsync(Patient(time));
        await using var _ = session;
        using var cancel = new CancellationTokenSource();
        var sending = session.SendTelemetryAsync(new("1"u8.ToArray()), cancel.Token).AsTask();
        await connection.ExpectAsync<ReceivedPublish>();
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(sending);
        time.Advance(TimeSpan.FromSeconds(30));
        (await session.Completion.WaitAsync(ScriptedHub.Patience)).Reason.ShouldBe(SessionEndReason.AckTimeout);
    }

    [Fact]
    public async Task PacketIds_WrapAround_PassOverThoseInUse()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var kept = session.SendTelemetryAsync(new("kept"u8.ToArray())).AsTask();
        var keptId = (await connection.ExpectAsync<ReceivedPublish>()).PacketId;
        var hubs = Task.Run(async () =>
        {
            var last = (ushort)0;
            for (var count = 0; count < ushort.MaxValue + 10; count++)
            {
                last = (await connection.TakePublishAsync()).PacketId;
                last.ShouldNotBe((ushort)0);
                last.ShouldNotBe(keptId);
            }
            return last;
        });
        var sends = new List<Task>();
        for (var count = 0; count < ushort.MaxValue + 10; count++)
        {
            sends.Add(session.SendTelemetryAsync(new("{}"u8.ToArray())).AsTask());
            if (sends.Count == 32)
            {
                await Task.WhenAll(sends);
                sends.Clear();
            }
        }
        await Task.WhenAll(sends);
        (await hubs).ShouldBeLessThan((ushort)100); // It went around.
        await connection.SendAsync(w => PubackPacket.Write(w, keptId));
        await kept.WaitAsync(ScriptedHub.Patience);
    }

    [Theory]
    [InlineData("$iothub/twin/PATCH/properties/desired/?$version=2", "no json")]
    [InlineData("$iothub/twin/PATCH/properties/desired/", "{}")] // without a version anywhere
    [InlineData("$iothub/twin/PATCH/properties/desired/?$version=x", "[1]")]
    [InlineData("$iothub/twin/res/", "")]
    [InlineData("$iothub/twin/res/200/?$rid=nobody", "{}")]
    [InlineData("$iothub/methods/POST/", "{}")]
    [InlineData("$iothub/methods/POST", "{}")]
    [InlineData("devices/other/messages/devicebound/a=b", "x")]
    [InlineData("devices/gateway", "x")]
    [InlineData("$iothub", "x")]
    public async Task Item_CannotBeRead_IsDroppedAndTheNextComes(string topic, string body)
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        await using var updates = session.ReadDesiredUpdatesAsync().GetAsyncEnumerator();
        var update = updates.MoveNextAsync().AsTask();
        await connection.GrantAsync(HubTopics.DesiredFilter);
        await using var calls = session.ReadMethodRequestsAsync().GetAsyncEnumerator();
        var call = calls.MoveNextAsync().AsTask();
        await connection.GrantAsync(HubTopics.MethodFilter);
        await connection.PublishAsync(topic, body);
        await connection.PublishAsync(HubTopics.DesiredPatch(3), """{"a":1}""");
        await connection.PublishAsync(HubTopics.MethodRequest("m", "1"), "{}");
        (await update.WaitAsync(ScriptedHub.Patience)).ShouldBeTrue();
        updates.Current.Version.ShouldBe(3);
        (await call.WaitAsync(ScriptedHub.Patience)).ShouldBeTrue();
        calls.Current.Name.ShouldBe("m");
    }

    /// <summary>An acknowledgement has 30 s, and no ping disturbs.</summary>
    private HubSessionOptions Patient(FakeTimeProvider time) =>
        hub.Options with
        {
            TimeProvider = time,
            KeepAlive = TimeSpan.FromSeconds(600),
            OperationTimeout = TimeSpan.FromSeconds(30),
        };
}
