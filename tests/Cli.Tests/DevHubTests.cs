using System.Runtime.Versioning;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.Hub;

namespace EdgeDm.Cli.Tests;

/// <summary>The real program against the real dev hub, with a module of ours connected to it.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class DevHubTests : DevHubTestBase
{
    [Fact]
    public async Task Status_NobodyConnected_ListsTheModules() =>
        (await RunAsync("hub", "status")).ShouldExitWith(0).Output.ShouldContain("DeviceManagement  Disconnected");

    [Fact]
    public async Task Page_Asked_PrintsANewAddress()
    {
        var first = (await RunAsync("hub", "page")).ShouldExitWith(0).Output.Trim();
        first.ShouldStartWith($"https://127.0.0.1:{Hub.HttpsPort}/devhub/page/start?token=");
        (await RunAsync("hub", "page")).ShouldExitWith(0).Output.Trim().ShouldNotBe(first);
    }

    [Fact]
    public async Task TwinSet_ThenShow_IsWhatWasSet()
    {
        (await RunAsync("twin", "set", "a.b=1", "c=text")).ShouldExitWith(0);
        (await RunAsync("twin", "set", "c=null")).ShouldExitWith(0);
        var desired = (await RunAsync("twin", "show", "desired")).ShouldExitWith(0).Json;
        desired["a"]!["b"]!.GetValue<int>().ShouldBe(1);
        desired.AsObject().ContainsKey("c").ShouldBeFalse();
    }

    [Fact]
    public async Task Deploy_OverAnotherDeployment_LeavesNothingOfIt()
    {
        (await RunAsync("update", "deploy", "http://files/1.tar", "--workflow", "1")).ShouldExitWith(0);
        (await RunAsync("update", "deploy", "http://files/2.tar", "--deployment", "two")).ShouldExitWith(0);
        (await RunAsync("twin", "show", "desired.firmwareUpdate"))
            .ShouldExitWith(0)
            .Json.ToJsonString()
            .ShouldBe("""{"packageUri":"http://files/2.tar","__meta":{"deploymentId":"two"}}""");
    }

    [Fact]
    public async Task Method_NobodyConnected_ExitsWith3() =>
        (await RunAsync("method", "ping")).ShouldExitWith(3).Error.ShouldContain("not connected");

    [Fact]
    public async Task Method_Connected_IsAnsweredByTheModule()
    {
        await using var session = await ConnectAsync();
        using var stop = new CancellationTokenSource();
        var serving = session.ServeMethodsAsync(
            (request, _) => ValueTask.FromResult(new MethodResult(200, request.Payload)),
            cancellationToken: stop.Token
        );
        (await RunAsync("method", "echo", """{"a":"ö"}""")).ShouldExitWith(0).Json["a"]!
            .GetValue<string>()
            .ShouldBe("ö");
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(serving);
    }

    [Fact]
    public async Task Tail_MessagesPass_ShowsThemWithRouteAndBody()
    {
        Hub.ApplyManifest(
            JsonNode
                .Parse(
                    """
                    {"$edgeHub":{"properties.desired":{"schemaVersion":"1.1","routes":{"up":"FROM /messages/modules/DeviceManagement/outputs/up INTO $upstream"}}}}
                    """
                )!
                .AsObject()
        );
        await using var session = await ConnectAsync();
        var words = RunAsync("tail", "--upstream", "--count", "1");
        var json = RunAsync("tail", "--count", "2", "--json");

        // Until both listen, and have seen what they wait for; not faster than they read.
        while (!words.IsCompleted || !json.IsCompleted)
        {
            await RunAsync("hub", "status");
            await session.SendToOutputAsync("aside", OutboundMessage.FromText("no route"));
            await session.SendToOutputAsync(
                "up",
                new("""{"a":1}"""u8.ToArray()) { ContentType = "application/json", ContentEncoding = "utf-8" }
            );
        }

        (await words)
            .ShouldExitWith(0)
            .Output.ShouldContain("""/messages/modules/DeviceManagement/outputs/up -> $upstream  {"a":1}""");
        var lines = (await json)
            .ShouldExitWith(0)
            .Output.Trim()
            .Split('\n')
            .Select(line => JsonNode.Parse(line)!)
            .ToList();
        lines.Count.ShouldBe(2);
        lines.Select(line => (string?)line["route"]).Order().ShouldBe([null, "up"]);
    }

    [Fact]
    public async Task Send_Connected_ArrivesAtTheInput()
    {
        await using var session = await ConnectAsync();
        await using var inputs = await session.SubscribeAsync(HubChannel.Inputs);

        (
            await RunAsync("send", "DeviceManagement/commands", """{"x":1}""", "--property", "schema=s v1")
        ).ShouldExitWith(0);

        await using var messages = inputs.GetAsyncEnumerator();
        (await messages.MoveNextAsync().AsTask().WaitAsync(Patience)).ShouldBeTrue();
        var message = messages.Current;
        message.InputName.ShouldBe("commands");
        message["schema"].ShouldBe("s v1");
        message.MessageId.ShouldNotBeNullOrEmpty();
        message.ContentType.ShouldBe("application/json");
        Encoding.UTF8.GetString(message.Payload.Span).ShouldBe("""{"x":1}""");
    }

    [Theory]
    [InlineData(
        "FROM /messages/* WHERE $body.t > 20 AND level = '3' INTO $upstream",
        0,
        "Taken: the message goes to $upstream."
    )]
    [InlineData(
        "FROM /messages/* WHERE $body.t > 20 AND level = '4' INTO $upstream",
        1,
        "Not taken: the condition is false."
    )]
    [InlineData(
        "FROM /messages/* WHERE Level = '3' AND place = 'x' INTO $upstream",
        1,
        "  place is undefined: there is no such property"
    )]
    [InlineData(
        "FROM /messages/modules/other INTO $upstream",
        1,
        "the message's source is /messages/modules/sensor/outputs/o, the route is FROM /messages/modules/other"
    )]
    public async Task RouteTest_Message_IsTakenOrToldWhyNot(string route, int exitCode, string words)
    {
        File.WriteAllText(
            Folder["message.json"],
            """
            {"systemProperties":{"connectionModuleId":"sensor","outputName":"o","contentType":"application/json","contentEncoding":"utf-8"},
             "properties":{"level":"3"},"body":{"t":21.5}}
            """
        );
        var result = await RunAsync("route", "test", route, "--message", Folder["message.json"]);
        result.ShouldExitWith(exitCode).Output.ShouldContain(words);
    }

    [Fact]
    public async Task RouteTest_RouteAlone_IsChecked()
    {
        (await RunAsync("route", "test", "FROM /* INTO $upstream")).ShouldExitWith(0).Output.ShouldContain("good");
        (await RunAsync("route", "test", "FROM /* WHERE level = 3 INTO $upstream"))
            .ShouldExitWith(1)
            .Error.ShouldContain("'=' at position 21 compares two values of one type");
    }

    [Fact]
    public async Task RouteTest_MessageIsNoJson_IsWrongUsage()
    {
        File.WriteAllText(Folder["message.json"], "[1]");
        (await RunAsync("route", "test", "FROM /* INTO $upstream", "--message", Folder["message.json"]))
            .ShouldExitWith(2)
            .Error.ShouldContain("holds no message");
    }

    [Fact]
    public async Task C2dSend_DeviceConnected_ArrivesThere()
    {
        await using var session = await ConnectAsync(module: null);
        await using var received = await session.SubscribeAsync(HubChannel.CloudMessages);

        (await RunAsync("c2d", "send", "hello", "--property", "a=b", "--expiry", "60")).ShouldExitWith(0);

        await using var messages = received.GetAsyncEnumerator();
        (await messages.MoveNextAsync().AsTask().WaitAsync(Patience)).ShouldBeTrue();
        messages.Current["a"].ShouldBe("b");
        Encoding.UTF8.GetString(messages.Current.Payload.Span).ShouldBe("hello");
    }
}
