using System.Diagnostics;
using EdgeDm.Hub;

namespace EdgeDm.Benchmarks.SessionClient;

/// <summary>Reads messages at the module's inputs, and looks at each as an application would.</summary>
internal static class Inputs
{
    /// <summary>Reads so many, and returns the time from the first to the last acknowledgement.</summary>
    public static async Task<TimeSpan> ReceiveAsync(IoTHubSession session, int count)
    {
        await using var subscription = await session.SubscribeAsync(HubChannel.Inputs);
        var begin = 0L;
        await foreach (var message in subscription)
        {
            if (begin == 0)
            {
                begin = Stopwatch.GetTimestamp();
            }
            if (message.Payload.Length == 0 || message.InputName.Length == 0)
            {
                throw new InvalidDataException("An empty message came.");
            }
            if (--count == 0)
            {
                await message.AckAsync();
                break;
            }
        }
        return Stopwatch.GetElapsedTime(begin);
    }
}
