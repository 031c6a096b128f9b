using System.Diagnostics;
using EdgeDm.Hub;

namespace EdgeDm.Benchmarks.SessionClient;

/// <summary>Reported patches, and how long changes of desired properties take to come.</summary>
internal sealed class TwinCalls
{
    /// <summary>The desired property with the sender's monotonic clock, in nanoseconds.</summary>
    private const string Sent = "sent";

    private readonly IAsyncEnumerator<DesiredUpdate> updates;

    private TwinCalls(IAsyncEnumerator<DesiredUpdate> updates) => this.updates = updates;

    /// <summary>Reports so many times, one after the other, and returns what each took.</summary>
    public static async Task<IReadOnlyList<TimeSpan>> PatchAsync(IoTHubSession session, int count)
    {
        var times = new List<TimeSpan>(count);
        for (var i = 0; i < count; i++)
        {
            var patch = System.Text.Encoding.UTF8.GetBytes($$"""{"bench":{{i}}}""");
            var begin = Stopwatch.GetTimestamp();
            await session.UpdateReportedAsync(patch);
            times.Add(Stopwatch.GetElapsedTime(begin));
        }
        return times;
    }

    /// <summary>Returns when the hub has confirmed the subscription.</summary>
    public static async Task<TwinCalls> WatchAsync(IoTHubSession session)
    {
        var subscription = await session.SubscribeAsync(HubChannel.DesiredUpdates);
        return new(subscription.GetAsyncEnumerator());
    }

    /// <summary>Waits for so many changes, and returns how long each was under way.</summary>
    public async Task<IReadOnlyList<TimeSpan>> TakeAsync(int count)
    {
        var times = new List<TimeSpan>(count);
        while (times.Count < count && await updates.MoveNextAsync())
        {
            times.Add(Stopwatch.GetElapsedTime(updates.Current.Patch.GetProperty(Sent).GetInt64()));
        }
        return times;
    }
}
