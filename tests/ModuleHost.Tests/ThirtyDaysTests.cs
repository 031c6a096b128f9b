using System.Text;
using EdgeDm.Testing;

namespace EdgeDm.ModuleHost.Tests;

/// <summary>What waits, and what it cost the disk, when the hub is away for 30 days.</summary>
public sealed class ThirtyDaysTests : IDisposable
{
    private const int Days = 30;
    private const int NotificationsPerDay = 288; // One each 300 s, the default minimum period.

    private readonly string folder = Directory.CreateTempSubdirectory("edgedm-30-").FullName;
    private readonly FakeTimeProvider time = new();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string ThinnedFile => Path.Combine(folder, "thinned.json");

    [Fact]
    public async Task Away_For30Days_IsBoundedAndKeepsEveryResultAndTheNewestValues()
    {
        var options = Options();
        var outbox = new Outbox(options);
        var writes = 0;
        var lastContent = "";
        for (var n = 0; n < Days * NotificationsPerDay; n++)
        {
            Notify(outbox, "memory", n);
            Notify(outbox, "memory time", n);
            if (n % 12 == 0)
            {
                outbox.Add("downloads", "s", Json($"{n}"), null); // 24 a day that may go.
            }
            if (n % NotificationsPerDay == 0)
            {
                outbox.Add("events", "s", Json($"{n}"), $"job{n / NotificationsPerDay}-completed", PostKind.Terminal);
            }
            time.Advance(TimeSpan.FromMinutes(5));
            if (
                File.Exists(ThinnedFile)
                && await File.ReadAllTextAsync(ThinnedFile) is var content
                && content != lastContent
            )
            {
                writes++;
                lastContent = content;
                content.Length.ShouldBeLessThan(options.MaxThinnedBytes * 2);
            }
        }
        outbox.Flush();

        writes.ShouldBeLessThanOrEqualTo(Days * 24);
        Directory.GetFiles(Path.Combine(folder, "outbox")).Length.ShouldBe(options.MaxOutboxMessages);
        var all = await AllAsync(new Outbox(options));
        all.Where(m => m.Kind == PostKind.Terminal)
            .Select(m => m.MessageId)
            .ShouldBe(Enumerable.Range(0, Days).Select(day => $"job{day}-completed"));
        foreach (var series in new[] { "memory", "memory time" })
        {
            var values = all.Where(m => m.Series == series).Select(m => m.Body.GetInt32()).ToArray();
            values.Length.ShouldBeInRange(options.MaxThinnedPerSeries / 2, options.MaxThinnedPerSeries);
            values[0].ShouldBe(0);
            values[^1].ShouldBe(Days * NotificationsPerDay - 1);
            values.ShouldBeInOrder();
            // The newest hours are whole, and the further back, the wider apart.
            values.TakeLast(options.MaxThinnedPerSeries / 4).ShouldBe(Enumerable.Range(values[^16], 16));
            (values[1] - values[0]).ShouldBeGreaterThan(values[^17] - values[^18]);
        }
    }

    [Fact]
    public void Dropped_For30Days_IsExactlyWhatIsNotThere()
    {
        var outbox = new Outbox(Options());
        for (var n = 0; n < 5_000; n++)
        {
            Notify(outbox, "memory", n);
        }
        outbox.Flush();
        var later = new Outbox(Options());
        later.Dropped.ShouldBe(outbox.Dropped);
        (later.Dropped + Waiting(later)).ShouldBe(5_000);
    }

    [Fact]
    public void Thinned_OneOverTheSeries_HalvesItsOlderHalf()
    {
        var outbox = new Outbox(Options() with { MaxThinnedPerSeries = 8 });
        for (var n = 0; n < 8; n++)
        {
            Notify(outbox, "a", n);
        }
        outbox.Dropped.ShouldBe(0);
        Notify(outbox, "a", 8);
        outbox.Dropped.ShouldBe(2); // The second and the fourth of nine.
    }

    [Fact]
    public async Task Thinned_TooManySeries_TheOldestMessageGoesAtLast()
    {
        var outbox = new Outbox(Options() with { MaxThinnedMessages = 3 });
        foreach (var series in new[] { "a", "b", "c", "d" })
        {
            Notify(outbox, series, 1);
        }
        outbox.Dropped.ShouldBe(1);
        (await AllAsync(outbox)).Select(m => m.Series).ShouldBe(["b", "c", "d"]);
    }

    [Fact]
    public async Task Thinned_OneByteOverTheBytes_IsThinned()
    {
        var outbox = new Outbox(Options() with { MaxThinnedBytes = 3 });
        Notify(outbox, "a", 1);
        Notify(outbox, "b", 2);
        Notify(outbox, "c", 3);
        outbox.Dropped.ShouldBe(0);
        Notify(outbox, "d", 4);
        (await AllAsync(outbox)).Select(m => m.Series).ShouldBe(["b", "c", "d"]);
    }

    [Fact]
    public async Task Thinned_ClockIsSet_LosesNothing()
    {
        var outbox = new Outbox(Options());
        Notify(outbox, "a", 1);
        time.StepClock(TimeSpan.FromDays(3652));
        Notify(outbox, "a", 2);
        time.StepClock(TimeSpan.FromDays(-7305));
        Notify(outbox, "a", 3);
        outbox.Flush();
        (await AllAsync(new Outbox(Options()))).Select(m => m.Body.GetInt32()).ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task Thinned_SentWhileTheHubIsThere_NeverTouchesTheDisk()
    {
        var outbox = new Outbox(Options());
        for (var n = 0; n < 2 * NotificationsPerDay; n++)
        {
            Notify(outbox, "a", n);
            outbox.Done(await outbox.NextAsync(CancellationToken.None));
            time.Advance(TimeSpan.FromMinutes(5));
        }
        outbox.Flush();
        File.Exists(ThinnedFile).ShouldBeFalse();
    }

    private static byte[] Json(string text) => Encoding.UTF8.GetBytes(text);

    private static void Notify(Outbox outbox, string series, int value) =>
        outbox.Add("notifications", "s", Json($"{value}"), null, PostKind.Thinned, series);

    private static async Task<List<OutboxMessage>> AllAsync(Outbox outbox)
    {
        outbox.Add("end", "s", Json("0"), "end", PostKind.Terminal);
        List<OutboxMessage> all = [];
        while (true)
        {
            var next = await outbox.NextAsync(CancellationToken.None);
            outbox.Done(next);
            if (next.Message.MessageId == "end")
            {
                return all;
            }
            all.Add(next.Message);
        }
    }

    private static long Waiting(Outbox outbox) => AllAsync(outbox).GetAwaiter().GetResult().Count;

    private HubModuleOptions Options() =>
        new()
        {
            ModuleId = "Module",
            DataFolder = folder,
            OptionsFactory = _ => throw new InvalidOperationException(),
            TimeProvider = time,
            MaxOutboxMessages = 100,
        };
}
