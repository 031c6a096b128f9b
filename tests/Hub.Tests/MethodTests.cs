using System.Text;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests;

public sealed class MethodTests : IAsyncLifetime
{
    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    private static MethodResult Ok(string json) => new(200, Encoding.UTF8.GetBytes(json));

    [Fact]
    public async Task ReadAndRespond_RoundTrips()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        await using var calls = session.ReadMethodRequestsAsync().GetAsyncEnumerator();
        var first = calls.MoveNextAsync().AsTask();
        await connection.GrantAsync(HubTopics.MethodFilter);
        await connection.PublishAsync(HubTopics.MethodRequest("Reboot", "7f"), """{"delay":1}""");
        await first.WaitAsync(ScriptedHub.Patience);
        var request = calls.Current;
        (request.Name, request.RequestId).ShouldBe(("Reboot", "7f"));
        Encoding.UTF8.GetString(request.Payload.Span).ShouldBe("""{"delay":1}""");
        var responding = session.RespondAsync(request, 202, "{}"u8.ToArray());
        var response = await connection.TakePublishAsync();
        await responding;
        (response.Topic, response.Body).ShouldBe(("$iothub/methods/res/202/?$rid=7f", "{}"));
        await Should.ThrowAsync<InvalidOperationException>(() => session.RespondAsync(request, 200).AsTask());
    }

    [Fact]
    public async Task Serve_TwoCalls_RunSideBySide()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var serving = session.ServeMethodsAsync(
            async (request, token) =>
            {
                if (request.Name == "slow")
                {
                    await release.Task.WaitAsync(token);
                }
                return Ok($"\"{request.Name}\"");
            }
        );
        await connection.GrantAsync(HubTopics.MethodFilter);
        await connection.PublishAsync(HubTopics.MethodRequest("slow", "1"), "");
        await connection.PublishAsync(HubTopics.MethodRequest("fast", "2"), "");
        (await connection.TakePublishAsync()).Topic.ShouldEndWith("$rid=2");
        release.SetResult();
        (await connection.TakePublishAsync()).Topic.ShouldEndWith("$rid=1");
        await session.DisposeAsync();
        await serving.WaitAsync(ScriptedHub.Patience);
    }

    [Fact]
    public async Task Serve_LimitReached_FurtherCallsWait()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = 0;
        var most = 0;
        var serving = session.ServeMethodsAsync(
            async (_, token) =>
            {
                most = Math.Max(most, Interlocked.Increment(ref running));
                await release.Task.WaitAsync(token);
                Interlocked.Decrement(ref running);
                return Ok("1");
            },
            maxConcurrency: 2
        );
        await connection.GrantAsync(HubTopics.MethodFilter);
        for (var n = 0; n < 5; n++)
        {
            await connection.PublishAsync(HubTopics.MethodRequest("m", $"{n}"), "");
        }
        release.SetResult();
        for (var n = 0; n < 5; n++)
        {
            await connection.TakePublishAsync();
        }
        most.ShouldBeLessThanOrEqualTo(2);
        connection.Drop();
        await Should.ThrowAsync<ConnectionLostException>(serving.WaitAsync(ScriptedHub.Patience));
    }

    [Fact]
    public async Task Serve_HandlerThrows_AnswersTheTypeOnly()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var serving = session.ServeMethodsAsync((_, _) => throw new FormatException("the secret"));
        await connection.GrantAsync(HubTopics.MethodFilter);
        await connection.PublishAsync(HubTopics.MethodRequest("m", "1"), "");
        var response = await connection.TakePublishAsync();
        response.Topic.ShouldBe("$iothub/methods/res/500/?$rid=1");
        response.Body.ShouldBe("""{"message":"FormatException"}""");
        await session.DisposeAsync();
        await serving.WaitAsync(ScriptedHub.Patience);
    }

    [Theory]
    [InlineData(128 * 1024, 200)]
    [InlineData((128 * 1024) + 1, 500)]
    public async Task Serve_AnswerAtTheLimit_IsSentAndOneByteMoreIsNot(int bytes, int status)
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var serving = session.ServeMethodsAsync((_, _) => ValueTask.FromResult(new MethodResult(200, new byte[bytes])));
        await connection.GrantAsync(HubTopics.MethodFilter);
        await connection.PublishAsync(HubTopics.MethodRequest("m", "1"), "");
        (await connection.TakePublishAsync()).Parsed.Status.ShouldBe(status);
        await session.DisposeAsync();
        await serving.WaitAsync(ScriptedHub.Patience);
    }

    [Fact]
    public async Task Serve_Lost_CancelsHandlersAndEndsAfterThem()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = false;
        var serving = session.ServeMethodsAsync(
            async (_, token) =>
            {
                entered.SetResult();
                try
                {
                    await Task.Delay(Timeout.Infinite, token);
                }
                finally
                {
                    ended = true;
                }
                return Ok("1");
            }
        );
        await connection.GrantAsync(HubTopics.MethodFilter);
        await connection.PublishAsync(HubTopics.MethodRequest("m", "1"), "");
        await entered.Task.WaitAsync(ScriptedHub.Patience);
        connection.Drop();
        await Should.ThrowAsync<ConnectionLostException>(serving.WaitAsync(ScriptedHub.Patience));
        ended.ShouldBeTrue();
    }

    [Fact]
    public async Task Call_WithoutReader_OldestGiveWayAndTheSessionLives()
    {
        var (session, connection) = await hub.ConnectAsync(hub.Options with { MaxUnreadMethods = 2 });
        await using var _ = session;
        for (var n = 0; n < 5; n++)
        {
            await connection.PublishAsync(HubTopics.MethodRequest($"m{n}", $"{n}"), "");
        }
        var twin = session.GetTwinAsync();
        await connection.AnswerTwinAsync(200, """{"desired":{},"reported":{}}""");
        await twin;
        await using var calls = session.ReadMethodRequestsAsync().GetAsyncEnumerator();
        var first = calls.MoveNextAsync().AsTask();
        await connection.GrantAsync(HubTopics.MethodFilter);
        await first.WaitAsync(ScriptedHub.Patience);
        calls.Current.Name.ShouldBe("m3");
    }

    [Fact]
    public async Task Call_WithQoS1_IsAcknowledgedThoughAnInputWaits()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        await connection.PublishAsync(HubTopics.MethodRequest("m", "1"), "", 3);
        (await connection.ExpectAsync<PubackPacket>()).PacketId.ShouldBe((ushort)3);
    }

    [Fact]
    public async Task Read_SecondReader_IsRefused()
    {
        var (session, connection) = await hub.ConnectAsync();
        await using var _ = session;
        var subscribing = session.SubscribeAsync(HubChannel.Methods).AsTask();
        await connection.GrantAsync(HubTopics.MethodFilter);
        await using var subscription = await subscribing;
        await Should.ThrowAsync<InvalidOperationException>(() => session.SubscribeAsync(HubChannel.Methods).AsTask());
    }
}
