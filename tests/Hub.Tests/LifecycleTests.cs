using System.Runtime.CompilerServices;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

/// <summary>A session from its beginning to its end.</summary>
public sealed class LifecycleTests : IAsyncLifetime
{
    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Body_Throws_ItsErrorComesOutAndTheHubIsToldGoodbye()
    {
        var welcoming = hub.WelcomeAsync();
        var body = async () =>
        {
            await using var session = await IoTHubSession.ConnectAsync(hub.Options);
            throw new NotSupportedException("of the body");
        };
        (await Should.ThrowAsync<NotSupportedException>(body)).Message.ShouldBe("of the body");
        var connection = await welcoming;
        await connection.ExpectAsync(MqttPacketType.Disconnect);
        await connection.ExpectEndAsync();
    }

    [Fact]
    public async Task Dispose_AfterALoss_IsQuietAndKeepsTheReason()
    {
        var (session, connection) = await hub.ConnectAsync();
        await connection.SendBytesAsync(new byte[] { 0xFF });
        await session.Completion.WaitAsync(ScriptedHub.Patience);
        await session.DisposeAsync();
        (await session.Completion).Reason.ShouldBe(SessionEndReason.ProtocolError);
        await connection.ExpectEndAsync();
        await Should.ThrowAsync<ConnectionLostException>(() => session.GetTwinAsync().AsTask());
    }

    [Fact]
    public async Task Dispose_HubTakesNothing_EndsAtTheCloseTimeout()
    {
        var time = new FakeTimeProvider();
        var stuck = new StuckStream();
        var options = hub.Options with
        {
            TimeProvider = time,
            CloseTimeout = TimeSpan.FromSeconds(2),
            ConnectCallback = async (endpoint, token) =>
            {
                var client = new System.Net.Sockets.TcpClient();
                await client.ConnectAsync(endpoint.Host, endpoint.Port, token);
                stuck.Inner = client.GetStream();
                return stuck;
            },
        };
        var (session, _) = await hub.ConnectAsync(options);
        stuck.IsStuck = true;
        var disposing = session.DisposeAsync().AsTask();
        await stuck.Writing.WaitAsync(ScriptedHub.Patience);
        disposing.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(2));
        await disposing.WaitAsync(ScriptedHub.Patience);
    }

    [Fact]
    public async Task Ids_AreReadableAfterTheEnd()
    {
        var (session, _) = await hub.ConnectAsync();
        await session.DisposeAsync();
        (session.DeviceId, session.ModuleId, session.IsConnected).ShouldBe(("gateway", "Module", false));
        (await session.Completion).ShouldBe(new SessionEnd(SessionEndReason.Disposed, null));
        session.Stopped.IsCancellationRequested.ShouldBeTrue();
    }

    [Fact]
    public async Task Connect_Again_AsksForANewTokenAndBeginsAfresh()
    {
        var credential = new CountingCredential();
        var options = hub.Options with { Credential = credential };
        var (first, firstConnection) = await hub.ConnectAsync(options);
        var unread = first.SendTelemetryAsync(new("{}"u8.ToArray())).AsTask();
        await firstConnection.ExpectAsync<ReceivedPublish>();
        firstConnection.Drop();
        await Should.ThrowAsync<ConnectionLostException>(unread);
        await first.DisposeAsync();

        var (second, connection) = await hub.ConnectAsync(options);
        await using var _ = second;
        credential.Count.ShouldBe(2);
        System.Text.Encoding.UTF8.GetString(connection.Connect!.Password!.Value.Span).ShouldBe("token 2");
        // Nothing of the first comes along: the next packet is what is sent now, with the first id behind the twin's subscription.
        var sending = second.SendTelemetryAsync(new("2"u8.ToArray()));
        var publish = await connection.TakePublishAsync();
        (publish.Body, publish.PacketId).ShouldBe(("2", (ushort)2));
        await sending;
    }

    [Fact]
    public async Task Stopped_CallbackBlocks_OthersAreToldAll()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        using var release = new ManualResetEventSlim();
        session.Stopped.Register(() => release.Wait(ScriptedHub.Patience));
        var loop = session.ReadInputsAsync().GetAsyncEnumerator();
        await using var __ = loop;
        var waiting = loop.MoveNextAsync().AsTask();
        await connection.GrantAsync(HubTopics.InputsFilter("gateway", "Module"));
        connection.Drop();
        await Should.ThrowAsync<ConnectionLostException>(waiting.WaitAsync(ScriptedHub.Patience));
        await session.Completion.WaitAsync(ScriptedHub.Patience);
        release.Set();
    }

    [Fact]
    public async Task Sessions_Disposed_LeaveNothingBehind()
    {
        var gone = await RunAndForgetAsync();
        for (var round = 0; round < 50 && gone.Exists(session => session.IsAlive); round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await Task.Yield();
        }
        gone.Count(session => session.IsAlive).ShouldBe(0);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<List<WeakReference>> RunAndForgetAsync()
    {
        var gone = new List<WeakReference>();
        for (var round = 0; round < 5; round++)
        {
            gone.Add(await OneAsync(round % 2 == 0));
        }
        return gone;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<WeakReference> OneAsync(bool isLost)
    {
        var (session, connection) = await hub.ConnectAsync();
        using var cancel = new CancellationTokenSource();
        var sending = session.SendTelemetryAsync(new("{}"u8.ToArray()), cancel.Token).AsTask();
        await connection.TakePublishAsync();
        await sending;
        if (isLost)
        {
            connection.Drop();
            await session.Completion.WaitAsync(ScriptedHub.Patience);
        }
        await session.DisposeAsync();
        return new(session);
    }

    private sealed class CountingCredential : HubCredential
    {
        public int Count { get; private set; }

        protected internal override ValueTask<HubPassword?> GetAsync(
            CredentialContext context,
            CancellationToken cancellationToken
        ) => ValueTask.FromResult<HubPassword?>(new($"token {++Count}", null));
    }

    /// <summary>A network that takes what is written and never says so.</summary>
    private sealed class StuckStream : Stream
    {
        private readonly TaskCompletionSource writing = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Stream Inner { get; set; } = Null;

        public bool IsStuck { get; set; }

        public Task Writing => writing.Task;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush() => Inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => Inner.Read(buffer, offset, count);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Inner.ReadAsync(buffer, cancellationToken);

        public override async ValueTask WriteAsync(
            ReadOnlyMemory<byte> buffer,
            CancellationToken cancellationToken = default
        )
        {
            if (IsStuck)
            {
                writing.TrySetResult();
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            }
            await Inner.WriteAsync(buffer, cancellationToken);
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Inner.Write(buffer, offset, count);

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                Inner.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
