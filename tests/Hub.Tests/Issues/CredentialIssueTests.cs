using System.Security.Cryptography;
using System.Text;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests.Issues;

/// <summary>Tokens that end, in the official clients' issue lists.</summary>
public sealed class CredentialIssueTests : IAsyncLifetime
{
    private readonly ScriptedHub hub = new();
    private readonly FakeTimeProvider time = new(DateTimeOffset.FromUnixTimeSeconds(1_000_000));
    private readonly CountingSigner signer = new();

    private HubSessionOptions Options =>
        hub.Options with
        {
            TimeProvider = time,
            // The steps of the clock are for the token alone: the keep-alive's first timer is at 300 s.
            KeepAlive = TimeSpan.FromSeconds(600),
            OperationTimeout = Timeout.InfiniteTimeSpan,
            Credential = HubCredential.FromSigner(signer, TimeSpan.FromSeconds(60)),
        };

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public async Task Issue_sdk_csharp_2778_TokenEnds_NothingIsRenewedBehindTheBack()
    {
        var (session, connection) = await hub.ConnectAsync(Options);
        await using var _ = session;
        session.CredentialExpiresOn.ShouldBe(DateTimeOffset.FromUnixTimeSeconds(1_000_060));

        time.Advance(TimeSpan.FromSeconds(120));
        session.IsConnected.ShouldBeTrue(); // The hub decides.
        connection.Drop();
        var end = await session.Completion.WaitAsync(ScriptedHub.Patience);

        end.Reason.ShouldBe(SessionEndReason.ClosedByPeer);
        await Should.ThrowAsync<ConnectionLostException>(() => session.GetTwinAsync().AsTask());
        signer.Signed.ShouldBe(1);
    }

    [Fact]
    public async Task Issue_iotedge_7434_ClosedMinutesBehindTheTokensEnd_GoesOnAtOnceWithANewOne()
    {
        var attempts = new List<HubAttempt>();
        var backoff = HubReconnect.Backoff(TimeSpan.FromDays(1), TimeSpan.FromDays(1));
        var connected = new SemaphoreSlim(0);
        using var stop = new CancellationTokenSource();
        var running = RunUntilLostAsync(
            connected,
            attempt =>
            {
                attempts.Add(attempt);
                return backoff(attempt);
            },
            stop.Token
        );
        var first = await hub.WelcomeAsync();
        (await connected.WaitAsync(ScriptedHub.Patience)).ShouldBeTrue();
        time.Advance(TimeSpan.FromSeconds(60 + 230)); // edgeHub looks every five minutes.
        first.Drop();
        await hub.WelcomeAsync(); // Without a step of the clock.
        (await connected.WaitAsync(ScriptedHub.Patience)).ShouldBeTrue();
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(running);

        attempts.ShouldHaveSingleItem().Cause.ShouldBe(FailureCause.TokenExpired);
    }

    [Fact]
    public async Task Issue_sdk_java_1164_EachConnection_HasATokenMadeForIt()
    {
        var options = Options;
        var tokens = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            var (session, connection) = await hub.ConnectAsync(options);
            tokens.Add(Encoding.UTF8.GetString(connection.Connect!.Password!.Value.Span));
            await session.DisposeAsync();
            time.Advance(TimeSpan.FromSeconds(59));
        }
        tokens.Select(t => t[^7..]).ShouldBe(["1000060", "1000119", "1000178"]);
        signer.Signed.ShouldBe(3);
    }

    [Fact]
    public async Task Issue_azure_iot_sdks_966_HandlersBehindATokensEnd_AreThereAgain()
    {
        using var stop = new CancellationTokenSource();
        var running = HubReconnect.RunAsync(
            _ => ValueTask.FromResult(Options),
            (session, token) =>
                session.ServeMethodsAsync(
                    (_, _) => ValueTask.FromResult(new MethodResult(200)),
                    cancellationToken: token
                ),
            HubReconnect.Backoff(TimeSpan.FromDays(1), TimeSpan.FromDays(1)),
            time,
            cancellationToken: stop.Token
        );
        for (var i = 0; i < 2; i++)
        {
            var connection = await hub.WelcomeAsync();
            await connection.GrantAsync(HubTopics.MethodFilter);
            await connection.PublishAsync($"$iothub/methods/POST/m/?$rid={i}", "");
            (await connection.TakePublishAsync()).Topic.ShouldBe($"$iothub/methods/res/200/?$rid={i}");
            time.Advance(TimeSpan.FromSeconds(61));
            connection.Drop();
        }
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(running.WaitAsync(ScriptedHub.Patience));
    }

    [Fact]
    public async Task Issue_azure_iot_sdks_917_ReadyMadeTokenHasEnded_IsToldBeforeTheNetwork()
    {
        var options = Options with
        {
            Credential = HubCredential.FromToken("SharedAccessSignature sr=x&sig=secret&se=1000000"),
            ConnectCallback = (_, _) => throw new InvalidOperationException("must not connect"),
        };
        var error = await Should.ThrowAsync<CredentialException>(() => IoTHubSession.ConnectAsync(options).AsTask());
        error.Message.ShouldContain("expired");
        error.ToString().ShouldNotContain("secret");
    }

    private Task RunUntilLostAsync(
        SemaphoreSlim connected,
        Func<HubAttempt, ReconnectDecision> policy,
        CancellationToken cancellationToken
    ) =>
        HubReconnect.RunAsync(
            _ => ValueTask.FromResult(Options),
            async (session, token) =>
            {
                connected.Release();
                await session.Completion.WaitAsync(token);
                await session.GetTwinAsync(token);
            },
            policy,
            time,
            cancellationToken: cancellationToken
        );

    private sealed class CountingSigner : IHubSigner
    {
        private int signed;

        public int Signed => signed;

        public ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref signed);
            return ValueTask.FromResult(HMACSHA256.HashData("key"u8, data.Span));
        }
    }
}
