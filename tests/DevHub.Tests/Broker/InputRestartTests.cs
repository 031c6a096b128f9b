namespace EdgeDm.DevHub.Tests.Broker;

// Messages that wait for a module, across the end of the hub.
public sealed class InputRestartTests
{
    [Fact]
    public async Task Restart_InputThatWaits_ArrivesOnceItsModuleIsBack()
    {
        using var folder = new TemporaryFolder();
        await using (var hub = await TestHub.StartAsync(dataFolder: folder.Path))
        {
            hub.Module("b");
            hub.Route("""FROM /messages/modules/a/outputs/o INTO BrokeredEndpoint("/modules/b/inputs/i")""");
            await using var a = await MqttTestClient.ConnectAsync(hub, "a");
            await a.OutputAsync("o", "1", "%24.mid=m1");
            await a.OutputAsync("o", "2");
        }
        await using var again = await TestHub.StartAsync(dataFolder: folder.Path);
        await using var b = await MqttTestClient.SubscribedAsync(again, "b");
        var first = await b.NextMessageAsync();
        first.Payload.ShouldBe("1");
        first.Bag["$.mid"].ShouldBe("m1");
        (await b.NextMessageAsync()).Payload.ShouldBe("2");
        await b.ShouldHaveNothingAsync();
    }
}
