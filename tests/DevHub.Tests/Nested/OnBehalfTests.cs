using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Nested;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.DevHub.Tests.Nested;

// For whom an edgeHub may connect, and what ends that.
public sealed class OnBehalfTests
{
    [Theory]
    [InlineData("gateway/m;gateway", ConnackCode.Accepted)]
    [InlineData("gateway/m", ConnackCode.NotAuthorized)] // without the device
    [InlineData("gateway", ConnackCode.NotAuthorized)] // another's
    [InlineData("gateway/other;gateway", ConnackCode.NotAuthorized)]
    [InlineData("gateway/m;edge2", ConnackCode.NotAuthorized)] // another edgeHub
    [InlineData("gateway/m;gateway;edge2", ConnackCode.NotAuthorized)] // not below it
    [InlineData("gateway/m;nobody;gateway", ConnackCode.NotAuthorized)]
    [InlineData("gateway/m;gateway/m;gateway", ConnackCode.NotAuthorized)]
    [InlineData("gateway/m;;", ConnackCode.NotAuthorized)]
    [InlineData(";", ConnackCode.NotAuthorized)]
    [InlineData("a b;gateway", ConnackCode.NotAuthorized)]
    [InlineData(null, ConnackCode.NotAuthorized)] // its token alone says nothing for others
    public async Task Connect_ForAModule_NeedsTheChainToIt(string? chain, ConnackCode code)
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        var module = hub.Module("m");
        hub.Module("other");
        hub.Edge("edge2");
        using var edgeHub = new EdgeHubPeer(hub);
        var (client, found) = await edgeHub.TryConnectAsync(module, chain);
        await using var _ = client;
        found.ShouldBe(code);
    }

    [Theory]
    [InlineData("edge2/m;edge2")]
    [InlineData("edge2/m;gateway")]
    [InlineData("edge2/m;edge2;gateway")]
    [InlineData(null)]
    public async Task Connect_ForAnotherEdgesModule_IsRefused(string? chain)
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        hub.Edge("edge2");
        using var edgeHub = new EdgeHubPeer(hub);
        var (client, code) = await edgeHub.TryConnectAsync(new("edge2", "m"), chain);
        await using var _ = client;
        code.ShouldBe(ConnackCode.NotAuthorized);
    }

    [Fact]
    public async Task Connect_ForWhoIsBelowAnEdgeBelow_Works()
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        hub.Edge("lower", above: "gateway");
        var leaf = hub.Leaf("leaf", above: "lower");
        using var edgeHub = new EdgeHubPeer(hub);
        await using var module = await edgeHub.ConnectAsync(new("lower", "m"), "lower/m;lower;gateway");
        await using var lowerHub = await edgeHub.ConnectAsync(new("lower", "$edgeHub"), "lower/$edgeHub;lower;gateway");
        await using var device = await edgeHub.ConnectAsync(leaf, "leaf;lower;gateway");
        // Each step counts.
        var (skipping, code) = await edgeHub.TryConnectAsync(leaf, "leaf;gateway");
        await using var _ = skipping;
        code.ShouldBe(ConnackCode.NotAuthorized);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("gateway")]
    public async Task Connect_ForALeaf_NeedsItToBeBelow(string? above)
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        var leaf = hub.Leaf("leaf", above);
        using var edgeHub = new EdgeHubPeer(hub);
        var (client, code) = await edgeHub.TryConnectAsync(leaf, "leaf;gateway");
        await using var _ = client;
        code.ShouldBe(above is null ? ConnackCode.NotAuthorized : ConnackCode.Accepted);
    }

    [Fact]
    public async Task Connect_WithTheModulesOwnToken_WorksWithItsChainAndWithout()
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        var module = hub.Module("m");
        using var edgeHub = new EdgeHubPeer(hub) { Token = hub.Token(module) };
        await using var with = await edgeHub.ConnectAsync(module, "gateway/m;gateway");
        var (without, code) = await edgeHub.TryConnectAsync(module, chain: null);
        await using var _ = without;
        code.ShouldBe(ConnackCode.Accepted);
    }

    [Fact]
    public async Task Connect_WithATokenOfAnotherModule_IsRefused()
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        var module = hub.Module("m");
        using var edgeHub = new EdgeHubPeer(hub) { Token = hub.Token(hub.Module("other")) };
        var (client, code) = await edgeHub.TryConnectAsync(module, "gateway/m;gateway");
        await using var _ = client;
        code.ShouldBe(ConnackCode.NotAuthorized);
    }

    [Fact]
    public async Task Connect_InProfileEdgeHub_HasNobodySpeakForOthers()
    {
        await using var hub = await TestHub.StartAsync();
        var module = hub.Module("m");
        using var edgeHub = new EdgeHubPeer(hub);
        var (client, code) = await edgeHub.TryConnectAsync(module, "gateway/m;gateway");
        await using var _ = client;
        code.ShouldBe(ConnackCode.NotAuthorized);
        ((int)(await edgeHub.ScopeAsync("gateway")).StatusCode).ShouldBe(404);
    }

    [Fact]
    public async Task Connect_SecondTime_TakesTheFirstOnesPlace()
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        hub.Module("m");
        using var edgeHub = new EdgeHubPeer(hub);
        await using var first = await edgeHub.ModuleAsync("m");
        await using var second = await edgeHub.ModuleAsync("m");
        await first.Closed.WaitAsync(TestHub.Patience);
        await second.ShouldHaveNothingAsync();
    }

    [Fact]
    public async Task Session_OfAModule_GoesOnWithItsSubscriptions()
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        var id = hub.Module("m");
        using var edgeHub = new EdgeHubPeer(hub);
        await using (var first = await edgeHub.ConnectAsync(id, "gateway/m;gateway", clean: false))
        {
            await first.SubscribeAsync(HubTopics.DesiredFilter);
            await first.GoodbyeAsync();
        }
        await using var second = await edgeHub.ConnectAsync(id, "gateway/m;gateway", clean: false);
        hub.Server.Twins.Write(id, new(null, new() { ["a"] = 1 }));
        (await second.NextMessageAsync()).Hub.Kind.ShouldBe(HubTopicKind.DesiredPatch);
    }

    [Fact]
    public async Task Delete_ConnectedModule_CutsItOffAndRefusesItThen()
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        var module = hub.Module("m");
        using var edgeHub = new EdgeHubPeer(hub);
        await using var client = await edgeHub.ModuleAsync("m");

        hub.Server.Identities.Delete(module, ifMatch: null);

        await client.Closed.WaitAsync(TestHub.Patience);
        var (again, code) = await edgeHub.TryConnectAsync(module, "gateway/m;gateway");
        await using var _ = again;
        code.ShouldBe(ConnackCode.NotAuthorized);
    }

    [Theory]
    [InlineData("""{"status":"disabled"}""")]
    [InlineData(
        """{"authentication":{"symmetricKey":{"primaryKey":"MDEyMzQ1Njc4OWFiY2RlZg==","secondaryKey":"MDEyMzQ1Njc4OWFiY2RlZg=="}}}"""
    )]
    public async Task Change_OfTheDeviceThatSpeaks_CutsOffWhomItSpeaksFor(string change)
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        var leaf = hub.Leaf("leaf");
        using var edgeHub = new EdgeHubPeer(hub);
        await using var device = await edgeHub.ConnectAsync(leaf, "leaf;gateway");
        await hub.Http.PutIfMatchAsync("/devices/gateway", change);
        await device.Closed.WaitAsync(TestHub.Patience);
    }

    [Fact]
    public async Task Change_OfWhatIsAbove_CutsOffWhoIsNoLongerBelow()
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        hub.Edge("lower", above: "gateway");
        var leaf = hub.Leaf("leaf", above: "lower");
        hub.Module("m");
        using var edgeHub = new EdgeHubPeer(hub);
        await using var stays = await edgeHub.ModuleAsync("m");
        await using var device = await edgeHub.ConnectAsync(leaf, "leaf;lower;gateway");
        await hub.Http.PutIfMatchAsync("/devices/lower", """{"parentScopes":[]}""");
        await device.Closed.WaitAsync(TestHub.Patience);
        await stays.ShouldHaveNothingAsync();
        var (again, code) = await edgeHub.TryConnectAsync(leaf, "leaf;lower;gateway");
        await using var _ = again;
        code.ShouldBe(ConnackCode.NotAuthorized);
    }

    [Fact]
    public async Task Change_OfSomethingElse_LeavesTheConnection()
    {
        await using var hub = await EdgeHubPeer.StartHubAsync();
        hub.Module("m");
        hub.Edge("edge2");
        using var edgeHub = new EdgeHubPeer(hub);
        await using var client = await edgeHub.ModuleAsync("m");
        await hub.Http.PutIfMatchAsync("/devices/edge2", """{"status":"disabled"}""");
        await hub.Http.PutIfMatchAsync("/devices/gateway", """{"statusReason":"none"}""");
        await client.ShouldHaveNothingAsync();
    }

    [Theory]
    [InlineData(AuthChain.MostLinks, true)]
    [InlineData(AuthChain.MostLinks + 1, false)]
    public void Chain_HasALimit(int links, bool fits) =>
        AuthChain.TryParse(string.Join(';', Enumerable.Repeat("d", links)), out _).ShouldBe(fits);

    [Fact]
    public void Chain_AsText_IsWhatWasRead()
    {
        AuthChain.TryParse("edge/$edgeHub;edge;top", out var chain).ShouldBeTrue();
        chain.ToString().ShouldBe("edge/$edgeHub;edge;top");
        chain.Target.ShouldBe(new HubIdentity("edge", "$edgeHub"));
        chain.Actor.ShouldBe(new HubIdentity("top"));
        chain.Signer.ShouldBe(new HubIdentity("top", "$edgeHub"));
    }
}

internal static class ChangeRequests
{
    public static async Task PutIfMatchAsync(this HttpClient http, string path, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, path) { Content = TestHub.Json(body) };
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        using var answer = await http.SendAsync(request);
        ((int)answer.StatusCode).ShouldBe(200, await answer.Content.ReadAsStringAsync());
    }
}
