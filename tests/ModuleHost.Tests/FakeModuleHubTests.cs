using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.ModuleHost.Tests;

/// <summary>The fake that the modules' tests stand on keeps the promises of the real one.</summary>
public sealed class FakeModuleHubTests : IDisposable
{
    private readonly FakeModuleHub hub = new("Module");

    public void Dispose() => hub.Dispose();

    [Fact]
    public async Task DeliverInput_SameMessageIdTwice_IsHandledOnce()
    {
        var handled = 0;
        hub.OnInput(
            "in",
            (_, _) =>
            {
                handled++;
                return ValueTask.CompletedTask;
            }
        );
        (await hub.DeliverInputAsync("in", "s", "{}", "1")).ShouldBeTrue();
        (await hub.DeliverInputAsync("in", "s", "{}", "1")).ShouldBeFalse();
        handled.ShouldBe(1);
    }

    [Fact]
    public async Task DeliverInput_WrongContent_IsDropped()
    {
        hub.OnInput("in", (_, _) => throw new JsonException("no"));
        await hub.DeliverInputAsync("in", "s", "{}");
        hub.Dropped.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task DeliverInput_HandlerFails_ComesAgain()
    {
        var handled = 0;
        hub.OnInput("in", (_, _) => ++handled == 1 ? throw new IOException("disk full") : ValueTask.CompletedTask);
        await Should.ThrowAsync<IOException>(() => hub.DeliverInputAsync("in", "s", "{}", "1"));
        (await hub.DeliverInputAsync("in", "s", "{}", "1")).ShouldBeTrue();
    }

    [Fact]
    public async Task CallMethod_WithoutHandlerAndWithFailingOne_AnswersAsTheHubDoes()
    {
        (await hub.CallMethodAsync("x")).Status.ShouldBe(501);
        hub.OnMethod("*", (call, _) => throw new InvalidOperationException(call.Name));
        (await hub.CallMethodAsync("x")).Status.ShouldBe(500);
    }

    [Fact]
    public async Task WaitForPost_PostedLater_IsFound()
    {
        var waiting = hub.WaitForPostAsync("b");
        hub.Post("out", "a", "{}"u8.ToArray());
        hub.PostVolatile("out", "b", """{"n":1}"""u8.ToArray(), "key");
        (await waiting).Body["n"]!.GetValue<int>().ShouldBe(1);
        hub.IsConnected = false;
        hub.PostVolatile("out", "c", "{}"u8.ToArray());
        hub.Posts.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Report_ValuesAndNull_AreMerged()
    {
        hub.Report(new Dictionary<string, JsonNode?> { ["a"] = 1, ["b"] = new JsonObject() });
        hub.Report(new Dictionary<string, JsonNode?> { ["a"] = null });
        (await hub.WaitForReportedAsync(r => r.Count == 1)).ToJsonString().ShouldBe("""{"b":{}}""");
    }
}
