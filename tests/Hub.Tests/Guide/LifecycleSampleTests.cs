using System.Runtime.CompilerServices;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;
using EdgeDm.Testing;

namespace EdgeDm.Hub.Tests.Guide;

public sealed class LifecycleSampleTests : IAsyncLifetime
{
    private readonly ScriptedHub hub = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => hub.DisposeAsync();

    [Fact]
    public void Guide_ShowsThisSample()
    {
        var code = File.ReadAllText(Path.Combine(Folder(), "LifecycleSample.cs"));
        var begins = code.IndexOf("// sample begins", StringComparison.Ordinal) + "// sample begins".Length;
        var sample = code[begins..code.IndexOf("// sample ends", StringComparison.Ordinal)];
        var lines = sample
            .Trim('\n', ' ')
            .Split('\n')
            .Select(line => line.StartsWith("    ", StringComparison.Ordinal) ? line[4..] : line);
        var guide = File.ReadAllText(Path.Combine(Folder(), "..", "..", "..", "docs", "session.md"));
        guide.ShouldContain(string.Join('\n', lines), Case.Sensitive);
    }

    [Fact]
    public async Task Sample_LivesThroughALossAndEndsWhenItIsStopped()
    {
        using var stop = new CancellationTokenSource();
        var console = new StringWriter();
        var running = LifecycleSample.RunAsync(hub.Options with { ModuleId = null }, console, stop.Token);
        var first = await LiveAsync("before the loss");
        first.Drop();
        var second = await LiveAsync("behind it");
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(running.WaitAsync(ScriptedHub.Patience));
        while (await second.ReadAsync() is not MqttPacketType.Disconnect) { }
        var said = console.ToString();
        said.ShouldContain("A message came: before the loss");
        said.ShouldContain("A message came: behind it");
    }

    /// <summary>All three things that the sample does, once.</summary>
    private async Task<ScriptedConnection> LiveAsync(string text)
    {
        var connection = await hub.WelcomeAsync();
        var subscribed = new List<string>();
        var telemetry = false;
        while (subscribed.Count < 2 || !telemetry)
        {
            switch (await connection.ReadAsync())
            {
                case SubscribePacket subscribe:
                    subscribed.Add(subscribe.Filters[0].Filter);
                    await connection.SendAsync(new SubackPacket(subscribe.PacketId, [0]).Write);
                    break;
                case ReceivedPublish { Parsed.Kind: HubTopicKind.Telemetry } publish:
                    telemetry = true;
                    await connection.SendAsync(w => PubackPacket.Write(w, publish.PacketId));
                    break;
                case var other:
                    throw new InvalidOperationException($"{other} came.");
            }
        }
        subscribed.ShouldBe([HubTopics.CloudMessagesFilter("gateway"), HubTopics.MethodFilter], ignoreOrder: true);
        await connection.PublishAsync(HubTopics.CloudMessage("gateway", new() { { "$.to", "/d" } }), text, 9);
        (await connection.ExpectAsync<PubackPacket>()).PacketId.ShouldBe((ushort)9);
        await connection.PublishAsync(HubTopics.MethodRequest("foo", "1"), "{}");
        var answer = await connection.TakePublishAsync();
        answer.Topic.ShouldBe(HubTopics.MethodResponse(200, "1"));
        answer.Body.ShouldBe("""{"result":"done"}""");
        await connection.PublishAsync(HubTopics.MethodRequest("bar", "2"), "{}");
        (await connection.TakePublishAsync()).Topic.ShouldBe(HubTopics.MethodResponse(404, "2"));
        return connection;
    }

    private static string Folder([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
