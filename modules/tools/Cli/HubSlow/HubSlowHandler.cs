using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>Slows modules down.</summary>
internal static class HubSlowHandler
{
    public static Task<int> RunAsync(
        JsonObject asked,
        TimeSpan? latency,
        int? bytesPerSecond,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        if (latency is { } time)
        {
            asked["latencyMilliseconds"] = (int)time.TotalMilliseconds;
        }
        if (bytesPerSecond is { } rate)
        {
            asked["bytesPerSecond"] = rate;
        }
        return FaultSwitch.OnAsync(asked, target, context, cancellationToken);
    }
}
