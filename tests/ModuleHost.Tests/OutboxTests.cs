using System.Text;
using EdgeDm.Testing;

namespace EdgeDm.ModuleHost.Tests;

public sealed class OutboxTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("edgedm-outbox-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string[] Files => Directory.GetFiles(Path.Combine(folder, "outbox"), "*.json");

    private HubModuleOptions Options(int messages = 1_000, long bytes = 1_000_000, int volatiles = 256) =>
        new()
        {
            ModuleId = "Module",
            DataFolder = folder,
            OptionsFactory = _ => throw new InvalidOperationException(),
            MaxOutboxMessages = messages,
            MaxOutboxBytes = bytes,
            MaxVolatileMessages = volatiles,
            MaxMessageBytes = 1_000,
        };

    private static byte[] Json(string text) => Encoding.UTF8.GetBytes(text);

    private static async Task<string> NextAsync(Outbox outbox)
    {
        var next = await outbox.NextAsync(CancellationToken.None).AsTask().WaitAsync(ScriptedHub.Patience);
        outbox.Done(next);
        return next.Message.Body.GetRawText();
    }

    [Fact]
    public async Task Add_ThenANewProcess_FindsAllInOrder()
    {
        var earlier = new Outbox(Options());
        for (var n = 0; n < 12; n++)
        {
            earlier.Add("out", "s", Json($"{n}"), $"id{n}");
        }
        await NextAsync(earlier);
        var later = new Outbox(Options());
        later.Add("out", "s", Json("12"), null);
        for (var n = 1; n <= 12; n++)
        {
            (await NextAsync(later)).ShouldBe($"{n}");
        }
        Files.ShouldBeEmpty();
    }

    [Fact]
    public async Task Next_NotDone_IsTheSameAgain()
    {
        var outbox = new Outbox(Options());
        outbox.Add("out", "s", Json("1"), "a");
        var first = await outbox.NextAsync(CancellationToken.None);
        var again = await outbox.NextAsync(CancellationToken.None);
        again.ShouldBe(first);
        Files.ShouldHaveSingleItem();
    }

    [Fact]
    public void Add_SameIdWhileItWaits_IsKeptOnce()
    {
        var outbox = new Outbox(Options());
        outbox.Add("out", "s", Json("1"), "a");
        outbox.Add("out", "s", Json("1"), "a");
        Files.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Add_SameIdAfterItWasSent_IsSentAgain()
    {
        var outbox = new Outbox(Options());
        outbox.Add("out", "s", Json("1"), "a");
        await NextAsync(outbox);
        outbox.Add("out", "s", Json("2"), "a");
        (await NextAsync(outbox)).ShouldBe("2");
    }

    [Fact]
    public async Task Add_OneOverTheCount_TheOldestNormalOneGivesWayAndIsCounted()
    {
        var outbox = new Outbox(Options(messages: 2));
        outbox.Add("out", "s", Json("1"), null);
        outbox.Add("out", "s", Json("2"), null);
        outbox.Dropped.ShouldBe(0);
        outbox.Add("out", "s", Json("3"), null);
        outbox.Dropped.ShouldBe(1);
        Files.Length.ShouldBe(2);
        (await NextAsync(outbox)).ShouldBe("2");
        (await NextAsync(outbox)).ShouldBe("3");
    }

    [Fact]
    public async Task Add_OneByteOverTheBytes_TheOldestNormalOneGivesWay()
    {
        var outbox = new Outbox(Options(bytes: 10));
        outbox.Add("out", "s", Json("12345"), null);
        outbox.Add("out", "s", Json("67890"), null);
        outbox.Dropped.ShouldBe(0);
        outbox.Add("out", "s", Json("1"), null);
        outbox.Dropped.ShouldBe(1);
        (await NextAsync(outbox)).ShouldBe("67890");
    }

    [Fact]
    public async Task Add_FullOfResults_DropsTheNormalOneAndRefusesAResult()
    {
        var outbox = new Outbox(Options(messages: 2));
        outbox.Add("out", "s", Json("1"), "a", PostKind.Terminal);
        outbox.Add("out", "s", Json("2"), "b");
        outbox.Add("out", "s", Json("3"), "c", PostKind.Terminal);
        outbox.Dropped.ShouldBe(1);
        outbox.Add("out", "s", Json("4"), "d");
        outbox.Dropped.ShouldBe(2);
        Should
            .Throw<OutboxFullException>(() => outbox.Add("out", "s", Json("5"), "e", PostKind.Terminal))
            .Messages.ShouldBe(2);
        (await NextAsync(outbox)).ShouldBe("1");
        outbox.Add("out", "s", Json("5"), "e", PostKind.Terminal);
        (await NextAsync(outbox)).ShouldBe("3");
        (await NextAsync(outbox)).ShouldBe("5");
    }

    [Fact]
    public async Task Done_OfAMessageThatGaveWayMeanwhile_ForgetsNoOther()
    {
        var outbox = new Outbox(Options(messages: 1));
        outbox.Add("out", "s", Json("1"), null);
        var onItsWay = await outbox.NextAsync(CancellationToken.None);
        outbox.Add("out", "s", Json("2"), null);
        outbox.Done(onItsWay);
        (await NextAsync(outbox)).ShouldBe("2");
        Files.ShouldBeEmpty();
    }

    [Fact]
    public async Task Load_MessageOfTheFirstLanding_IsNeverThrownOut()
    {
        Directory.CreateDirectory(Path.Combine(folder, "outbox"));
        await File.WriteAllTextAsync(
            Path.Combine(folder, "outbox", "0000000000000001.json"),
            """{"format":1,"value":{"output":"out","schema":"s","messageId":"old","body":1}}"""
        );
        var outbox = new Outbox(Options(messages: 1));
        outbox.Add("out", "s", Json("2"), null);
        (await NextAsync(outbox)).ShouldBe("1");
        outbox.Dropped.ShouldBe(1);
    }

    [Fact]
    public void Add_LargestMessage_IsKeptAndOneByteMoreIsNot()
    {
        var outbox = new Outbox(Options());
        outbox.Add("out", "s", Json($"\"{new string('x', 998)}\""), null);
        Should.Throw<ArgumentException>(() => outbox.Add("out", "s", Json($"\"{new string('x', 999)}\""), null));
    }

    [Fact]
    public void Add_NoJson_IsRefused()
    {
        var outbox = new Outbox(Options());
        Should.Throw<System.Text.Json.JsonException>(() => outbox.Add("out", "s", Json("{"), null));
        Files.ShouldBeEmpty();
    }

    [Fact]
    public async Task AddVolatile_SameKey_OnlyTheNewestWaitsInTheOldPlace()
    {
        var outbox = new Outbox(Options());
        outbox.AddVolatile("out", "s", Json("1"), "progress");
        outbox.Add("out", "s", Json("2"), null);
        outbox.AddVolatile("out", "s", Json("3"), "progress");
        (await NextAsync(outbox)).ShouldBe("3");
        (await NextAsync(outbox)).ShouldBe("2");
        outbox.AddVolatile("out", "s", Json("4"), "progress");
        (await NextAsync(outbox)).ShouldBe("4");
    }

    [Fact]
    public async Task AddVolatile_OneOverTheCount_TheOldestGivesWay()
    {
        var outbox = new Outbox(Options(volatiles: 2));
        outbox.AddVolatile("out", "s", Json("1"), "a");
        outbox.AddVolatile("out", "s", Json("2"), "b");
        outbox.AddVolatile("out", "s", Json("3"), "c");
        (await NextAsync(outbox)).ShouldBe("2");
        (await NextAsync(outbox)).ShouldBe("3");
    }

    [Fact]
    public async Task DropVolatile_KeepsWhatMustArrive()
    {
        var outbox = new Outbox(Options());
        outbox.AddVolatile("out", "s", Json("1"), null);
        outbox.Add("out", "s", Json("2"), null);
        outbox.AddVolatile("out", "s", Json("3"), "k");
        outbox.DropVolatile();
        outbox.Add("out", "s", Json("4"), null);
        (await NextAsync(outbox)).ShouldBe("2");
        (await NextAsync(outbox)).ShouldBe("4");
    }

    [Fact]
    public async Task Load_DamagedFile_IsSetAsideAndTheRestIsSent()
    {
        var earlier = new Outbox(Options());
        earlier.Add("out", "s", Json("1"), null);
        earlier.Add("out", "s", Json("2"), null);
        await File.WriteAllTextAsync(Files.Order(StringComparer.Ordinal).First(), "{ damaged");
        var later = new Outbox(Options());
        (await NextAsync(later)).ShouldBe("2");
        Directory.GetFiles(Path.Combine(folder, "outbox"), "*.damaged-*").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Refuse_SetsTheFileAsideAndGoesOn()
    {
        var outbox = new Outbox(Options());
        outbox.Add("out", "s", Json("1"), null);
        outbox.Add("out", "s", Json("2"), null);
        outbox.Refuse(await outbox.NextAsync(CancellationToken.None), "too large");
        (await NextAsync(outbox)).ShouldBe("2");
        Directory.GetFiles(Path.Combine(folder, "outbox"), "*.refused").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Next_WaitsForTheFirst()
    {
        var outbox = new Outbox(Options());
        var waiting = NextAsync(outbox);
        waiting.IsCompleted.ShouldBeFalse();
        outbox.AddVolatile("out", "s", Json("1"), null);
        (await waiting).ShouldBe("1");
    }
}
