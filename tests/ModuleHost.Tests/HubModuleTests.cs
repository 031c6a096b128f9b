using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Hub;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.ModuleHost.Tests;

public sealed class HubModuleTests
{
    private static readonly TimeSpan Patience = ScriptedHub.Patience;

    private static byte[] Json(string text) => Encoding.UTF8.GetBytes(text);

    [Fact]
    public async Task Post_BeforeTheConnection_ArrivesAfterItWithAllProperties()
    {
        await using var running = new RunningModule();
        running.Module.Post("events", "edgedm.jobEvent.v1", Json("""{"n":1}"""), "id-1");
        Directory.GetFiles(Path.Combine(running.Folder, "outbox")).ShouldHaveSingleItem();
        running.Start();
        await running.Hub.UntilAsync(h => h.Outputs.Count == 1);
        var message = running.Hub.Outputs[0];
        message.Body.ShouldBe("""{"n":1}""");
        message.QoS.ShouldBe(MqttQoS.AtLeastOnce);
        message.Properties["$.on"].ShouldBe("events");
        message.Properties["$.mid"].ShouldBe("id-1");
        message.Properties["$.ct"].ShouldBe("application/json");
        message.Properties["$.ce"].ShouldBe("utf-8");
        message.Properties["schema"].ShouldBe("edgedm.jobEvent.v1");
    }

    [Fact]
    public async Task Post_NotAcknowledgedBeforeTheLoss_ComesAgainWithTheSameId()
    {
        await using var running = new RunningModule();
        running.Hub.Acknowledges = false;
        await running.StartConnectedAsync();
        running.Module.Post("events", "s", Json("{}"));
        await running.Hub.UntilAsync(h => h.Outputs.Count == 1);
        running.Hub.Acknowledges = true;
        running.Hub.Drop();
        await running.Hub.UntilAsync(h => h.Outputs.Count == 2);
        running.Hub.Outputs[1].Properties["$.mid"].ShouldBe(running.Hub.Outputs[0].Properties["$.mid"]);
    }

    [Fact]
    public async Task Post_Many_ArriveInOrderAcrossALoss()
    {
        await using var running = new RunningModule();
        await running.StartConnectedAsync();
        for (var n = 0; n < 30; n++)
        {
            running.Module.Post("events", "s", Json($"{n}"), $"{n}");
            if (n == 10)
            {
                running.Hub.Drop();
            }
        }
        await running.Hub.UntilAsync(h => h.Outputs.Any(o => o.Body == "29"));
        // At least once: repeats are allowed, gaps and disorder are not.
        running.Hub.Outputs.Select(o => o.Body).Distinct().ShouldBe(Enumerable.Range(0, 30).Select(n => $"{n}"));
    }

    [Fact]
    public async Task Post_AfterSomeWereThrownOut_TheNextMessageTellsHowManyOnce()
    {
        await using var running = new RunningModule(o => o with { MaxOutboxMessages = 2 });
        for (var n = 0; n < 5; n++)
        {
            running.Module.Post("events", "s", Json($"{n}"));
        }
        await running.StartConnectedAsync();
        await running.Hub.UntilAsync(h => h.Outputs.Count == 2);
        running.Hub.Outputs.Select(o => o.Body).ShouldBe(["3", "4"]);
        running.Hub.Outputs[0].Properties["dropped"].ShouldBe("3");
        running.Hub.Outputs[1].Properties["dropped"].ShouldBeNull();
    }

    [Fact]
    public async Task PostVolatile_WithoutConnection_IsForgotten()
    {
        await using var running = new RunningModule();
        running.Module.PostVolatile("notifications", "s", Json("1"));
        await running.StartConnectedAsync();
        running.Module.PostVolatile("notifications", "s", Json("2"));
        await running.Hub.UntilAsync(h => h.Outputs.Count == 1);
        running.Hub.Outputs[0].Body.ShouldBe("2");
        Directory.GetFiles(Path.Combine(running.Folder, "outbox")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Report_BeforeTheConnection_SendsOnlyWhatTheHubLacks()
    {
        await using var running = new RunningModule();
        running.Hub.Reported["same"] = new JsonObject { ["a"] = 1 };
        running.Hub.Reported["old"] = 1;
        running.Module.Report(
            new Dictionary<string, JsonNode?>
            {
                ["same"] = new JsonObject { ["a"] = 1 },
                ["fresh"] = new JsonObject { ["b"] = "x", ["none"] = null },
                ["old"] = null,
                ["never"] = null,
            }
        );
        running.Start();
        await running.Hub.UntilAsync(h => h.Patches.Count == 1);
        running.Hub.Patches[0].ShouldBe("""{"fresh":{"b":"x"},"old":null}""");
    }

    [Fact]
    public async Task Report_Change_SendsTheSmallestPatchWithNulls()
    {
        await using var running = new RunningModule();
        running.Start();
        running.Module.Report(
            new Dictionary<string, JsonNode?>
            {
                ["g"] = JsonNode.Parse("""{"a":{"x":1,"y":2},"list":[1,2],"gone":true}"""),
            }
        );
        await running.Hub.UntilAsync(h => h.Patches.Count == 1);
        running.Module.Report(
            new Dictionary<string, JsonNode?>
            {
                ["g"] = JsonNode.Parse("""{"a":{"x":1,"y":3},"list":[2],"gone":null}"""),
            }
        );
        await running.Hub.UntilAsync(h => h.Patches.Count == 2);
        JsonNode
            .DeepEquals(
                JsonNode.Parse(running.Hub.Patches[1]),
                JsonNode.Parse("""{"g":{"a":{"y":3},"list":[2],"gone":null}}""")
            )
            .ShouldBeTrue(running.Hub.Patches[1]);
    }

    [Fact]
    public async Task Report_TwoProperties_GoInOnePatch()
    {
        await using var running = new RunningModule();
        await running.StartConnectedAsync();
        running.Module.Report(new Dictionary<string, JsonNode?> { ["group"] = 1, ["__summary"] = 2 });
        await running.Hub.UntilAsync(h => h.Patches.Count == 1);
        running.Hub.Patches[0].ShouldBe("""{"group":1,"__summary":2}""");
    }

    [Fact]
    public async Task Report_OneRefused_OthersArriveAndItIsNotTriedForEver()
    {
        await using var running = new RunningModule();
        running.Hub.Judge = patch => patch.ContainsKey("bad") ? 400 : 204;
        await running.StartConnectedAsync();
        running.Module.Report(new Dictionary<string, JsonNode?> { ["bad"] = 1, ["good"] = 2 });
        await running.Hub.UntilAsync(h => h.Reported.ContainsKey("good"));
        running.Module.Report(new Dictionary<string, JsonNode?> { ["later"] = 3 });
        await running.Hub.UntilAsync(h => h.Reported.ContainsKey("later"));
        running.Hub.Patches.Count(p => p.Contains("bad", StringComparison.Ordinal)).ShouldBeLessThanOrEqualTo(2);
        running.Hub.Judge = _ => 204;
        running.Module.Report(new Dictionary<string, JsonNode?> { ["bad"] = 9 });
        await running.Hub.UntilAsync(h => h.Reported.ContainsKey("bad"));
    }

    [Fact]
    public async Task Report_HubBusy_IsTriedAgain()
    {
        await using var running = new RunningModule();
        var answers = new Queue<int>([429, 500, 204]);
        running.Hub.Judge = _ => answers.Dequeue();
        await running.StartConnectedAsync();
        running.Module.Report(new Dictionary<string, JsonNode?> { ["a"] = 1 });
        await running.Hub.UntilAsync(h => h.Reported.ContainsKey("a"));
        running.Hub.Patches.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Report_AfterRestart_IsKnownAndRemovalArrives()
    {
        await using var running = new RunningModule();
        running.Hub.Reported["old"] = 1;
        using (
            var earlier = new HubModule(
                new()
                {
                    ModuleId = "Module",
                    DataFolder = running.Folder,
                    OptionsFactory = _ => throw new InvalidOperationException(),
                }
            )
        )
        {
            earlier.Report(new Dictionary<string, JsonNode?> { ["kept"] = 7, ["old"] = null });
        }
        await using var again = new RunningModule(
            o => o with { OptionsFactory = _ => ValueTask.FromResult(running.Hub.Options) },
            Directory.CreateTempSubdirectory("edgedm-hub-").FullName
        );
        File.Copy(Path.Combine(running.Folder, "reported.json"), Path.Combine(again.Folder, "reported.json"));
        using var third = new HubModule(
            new()
            {
                ModuleId = "Module",
                DataFolder = again.Folder,
                OptionsFactory = _ => ValueTask.FromResult(running.Hub.Options),
            }
        );
        using var stop = new CancellationTokenSource();
        var work = third.RunAsync(stop.Token);
        await running.Hub.UntilAsync(h => h.Reported.ContainsKey("kept") && !h.Reported.ContainsKey("old"));
        await stop.CancelAsync();
        await work.WaitAsync(Patience);
    }

    [Fact]
    public async Task Desired_AfterConnectAndAfterChange_IsTheWholeDocument()
    {
        await using var running = new RunningModule();
        running.Hub.Desired["a"] = new JsonObject { ["x"] = 1, ["y"] = 2 };
        var documents = System.Threading.Channels.Channel.CreateUnbounded<DesiredDocument>();
        running.Module.OnDesired((document, token) => documents.Writer.WriteAsync(document, token));
        running.Start();
        var first = await documents.Reader.ReadAsync().AsTask().WaitAsync(Patience);
        (first.Version, first.Properties.ToJsonString()).ShouldBe((1, """{"a":{"x":1,"y":2}}"""));
        await running.Hub.ChangeDesiredAsync("""{"a":{"y":null,"z":3}}""");
        var second = await documents.Reader.ReadAsync().AsTask().WaitAsync(Patience);
        (second.Version, second.Properties.ToJsonString()).ShouldBe((2, """{"a":{"x":1,"z":3}}"""));
        first.Properties.ToJsonString().ShouldBe("""{"a":{"x":1,"y":2}}""");
        running.Hub.Drop();
        await running.Hub.ChangeDesiredAsync("""{"b":1}""");
        var third = await documents.Reader.ReadAsync().AsTask().WaitAsync(Patience);
        third.Version.ShouldBe(3);
        third.Properties.ToJsonString().ShouldBe("""{"a":{"x":1,"z":3},"b":1}""");
    }

    [Fact]
    public async Task Desired_HandlerFails_IsCalledAgainAndThenGivesWay()
    {
        await using var running = new RunningModule();
        var versions = new List<long>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        running.Module.OnDesired(
            (document, _) =>
            {
                versions.Add(document.Version);
                if (document.Version == 1)
                {
                    throw new InvalidOperationException("no");
                }
                done.SetResult();
                return ValueTask.CompletedTask;
            }
        );
        await running.StartConnectedAsync();
        await running.Hub.SubscribedAsync(HubTopics.DesiredFilter);
        await running.Hub.ChangeDesiredAsync("""{"a":1}""");
        await done.Task.WaitAsync(Patience);
        versions.Where(v => v == 1).Count().ShouldBeLessThanOrEqualTo(3);
        versions[^1].ShouldBe(2);
    }

    [Fact]
    public async Task Desired_DiskIsFull_IsCalledAgainUntilItIsNot()
    {
        const int MoreThanOtherFailures = 5;
        await using var running = new RunningModule();
        var calls = 0;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        running.Module.OnDesired(
            (_, _) =>
            {
                if (++calls <= MoreThanOtherFailures)
                {
                    throw new IOException("No space left on device");
                }
                done.SetResult();
                return ValueTask.CompletedTask;
            }
        );
        await running.StartConnectedAsync();
        await done.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task Input_IsHandledThenAcknowledgedAndARepeatIsDropped()
    {
        await using var running = new RunningModule();
        var handled = new List<InputMessage>();
        running.Module.OnInput(
            "downloads",
            (message, _) =>
            {
                handled.Add(message);
                return ValueTask.CompletedTask;
            }
        );
        running.Start();
        await running.Hub.DeliverAsync("downloads", """{"n":1}""", "m1");
        await running.Hub.DeliverAsync("downloads", """{"n":1}""", "m1");
        await running.Hub.DeliverAsync("unknown", "{}", "m2");
        var message = handled.ShouldHaveSingleItem();
        (message.Input, message.MessageId, message.Sender).ShouldBe(("downloads", "m1", "gateway/Peer"));
        Encoding.UTF8.GetString(message.Payload.Span).ShouldBe("""{"n":1}""");
    }

    [Fact]
    public async Task Input_HandlerFails_IsCalledAgainBeforeTheAcknowledgement()
    {
        await using var running = new RunningModule();
        var calls = 0;
        running.Module.OnInput(
            "in",
            (_, _) => ++calls < 3 ? throw new IOException("disk full") : ValueTask.CompletedTask
        );
        running.Start();
        await running.Hub.DeliverAsync("in", "{}", "m1");
        calls.ShouldBe(3);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Input_WrongContent_IsDroppedAtOnce(bool own)
    {
        await using var running = new RunningModule();
        var calls = 0;
        running.Module.OnInput(
            "in",
            (_, _) =>
            {
                calls++;
                throw own ? new BadMessageException("no") : new JsonException("no");
            }
        );
        running.Start();
        await running.Hub.DeliverAsync("in", "{}", "m1");
        calls.ShouldBe(1);
    }

    [Fact]
    public async Task Method_Handled_Unknown_Failed_AreAnswered()
    {
        await using var running = new RunningModule();
        running.Module.OnMethod("echo", (call, _) => ValueTask.FromResult(new MethodReply(200, call.Payload)));
        running.Module.OnMethod("fail", (_, _) => throw new InvalidOperationException("secret"));
        running.Start();
        (await running.Hub.CallAsync("echo", """{"a":1}""")).ShouldBe((200, """{"a":1}"""));
        (await running.Hub.CallAsync("nothing", "")).Status.ShouldBe(501);
        (await running.Hub.CallAsync("fail", "")).ShouldBe((500, """{"message":"InvalidOperationException"}"""));
    }

    [Fact]
    public async Task Method_AnyName_TakesTheRest()
    {
        await using var running = new RunningModule();
        running.Module.OnMethod("*", (call, _) => ValueTask.FromResult(new MethodReply(404, Json($"\"{call.Name}\""))));
        running.Start();
        (await running.Hub.CallAsync("x", "")).ShouldBe((404, "\"x\""));
    }

    [Fact]
    public async Task Run_HubComesLater_Waits()
    {
        var attempts = 0;
        RunningModule? running = null;
        running = new RunningModule(o =>
            o with
            {
                OptionsFactory = _ =>
                    ++attempts < 4
                        ? ValueTask.FromResult(running!.Hub.Options with { Port = 1 })
                        : ValueTask.FromResult(running!.Hub.Options),
            }
        );
        await using var _ = running;
        await running.StartConnectedAsync();
        attempts.ShouldBe(4);
    }

    [Fact]
    public async Task Run_RefusedAtFirst_ComesBack()
    {
        await using var running = new RunningModule();
        running.Hub.Welcome = ConnackCode.BadUserNameOrPassword;
        running.Start();
        await running.Hub.UntilAsync(h => h.Connections >= 2);
        running.Hub.Welcome = ConnackCode.Accepted;
        await running.Connected.Task.WaitAsync(Patience);
    }

    [Fact]
    public async Task Run_HubDrops_ComesBackAndTellsBoth()
    {
        await using var running = new RunningModule();
        var told = System.Threading.Channels.Channel.CreateUnbounded<bool>();
        running.Module.ConnectionChanged += () => told.Writer.TryWrite(running.Module.IsConnected);
        await running.StartConnectedAsync();
        running.Hub.Drop();
        foreach (var expected in (bool[])[true, false, true])
        {
            (await told.Reader.ReadAsync().AsTask().WaitAsync(Patience)).ShouldBe(expected);
        }
    }

    [Fact]
    public async Task Run_TokenNearItsEnd_ConnectsAnewBeforeIt()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        RunningModule? running = null;
        running = new RunningModule(o =>
            o with
            {
                TimeProvider = time,
                OptionsFactory = _ =>
                    ValueTask.FromResult(
                        running!.Hub.Options with
                        {
                            Credential = HubCredential.FromKey(ScriptedHub.Key, TimeSpan.FromSeconds(100)),
                            KeepAlive = TimeSpan.FromSeconds(600),
                            OperationTimeout = Timeout.InfiniteTimeSpan, // The clock jumps while requests are under way.
                        }
                    ),
            }
        );
        await using var _ = running;
        await running.StartConnectedAsync();
        time.Advance(TimeSpan.FromSeconds(84));
        running.Hub.Connections.ShouldBe(1);
        time.Advance(TimeSpan.FromSeconds(1));
        await running.Hub.UntilAsync(h => h.Connections == 2);
    }

    [Fact]
    public async Task Run_WrongEnvironment_EndsAsMisconfigured()
    {
        await using var running = new RunningModule();
        using var module = new HubModule(
            new()
            {
                ModuleId = "Module",
                DataFolder = running.Folder,
                OptionsFactory = token => HubSessionOptions.FromEdgeEnvironmentAsync(_ => null, token),
            }
        );
        await Should.ThrowAsync<Hosting.MisconfiguredException>(() =>
            module.RunAsync(CancellationToken.None).WaitAsync(Patience)
        );
    }

    [Fact]
    public async Task Run_Started_TakesNoMoreHandlers()
    {
        await using var running = new RunningModule();
        await running.StartConnectedAsync();
        Should.Throw<InvalidOperationException>(() => running.Module.OnInput("x", (_, _) => ValueTask.CompletedTask));
        await Should.ThrowAsync<InvalidOperationException>(() => running.Module.RunAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Stop_WithAHandlerUnderWay_CancelsItAndReturns()
    {
        var running = new RunningModule();
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var cancelled = false;
        running.Module.OnInput(
            "in",
            async (_, token) =>
            {
                entered.SetResult();
                try
                {
                    await Task.Delay(Timeout.Infinite, token);
                }
                catch (OperationCanceledException)
                {
                    cancelled = true;
                    throw;
                }
            }
        );
        running.Start();
        var delivering = running.Hub.DeliverAsync("in", "{}", "m");
        await entered.Task.WaitAsync(Patience);
        await running.DisposeAsync();
        cancelled.ShouldBeTrue();
        delivering.IsCompletedSuccessfully.ShouldBeFalse();
    }
}
