using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using EdgeDm.Hub;

namespace EdgeDm.Benchmarks.SessionClient;

/// <summary>What the client can be told to do, by the public members of <see cref="IoTHubSession"/> alone.</summary>
internal sealed class Calls : IAsyncDisposable
{
    private readonly List<IoTHubSession> sessions = [];

    private IoTHubSession Session => sessions[0];

    /// <summary>Carries out one call.</summary>
    /// <param name="call"><c>call</c> is its name; what else there is are its parameters.</param>
    public async Task<JsonNode?> RunAsync(JsonObject call) =>
        (string?)call["call"] switch
        {
            "hello" => null,
            "connect" => await ConnectAsync(call),
            "send" => await MeasureAsync(() => Telemetry.SendAsync(Session, Shape.Of(call))),
            "receive" => await MeasureAsync(() => Inputs.ReceiveAsync(Session, (int)call["count"]!)),
            var unknown => throw new NotSupportedException($"There is no call '{unknown}'."),
        };

    public async ValueTask DisposeAsync()
    {
        foreach (var session in sessions)
        {
            await session.DisposeAsync();
        }
    }

    private async Task<JsonNode?> ConnectAsync(JsonObject call)
    {
        var options = OptionsOf(call);
        var count = (int?)call["sessions"] ?? 1;
        for (var i = 0; i < count; i++)
        {
            var one = count == 1 ? options : options with { DeviceId = $"{options.DeviceId}{sessions.Count}" };
            sessions.Add(await IoTHubSession.ConnectAsync(one));
        }
        return null;
    }

    private static HubSessionOptions OptionsOf(JsonObject call)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile((string)call["rootFile"]!);
        return HubSessionOptions.FromConnectionString((string)call["connectionString"]!) with
        {
            Port = (int)call["port"]!,
            TrustedRoots = roots,
            KeepAlive = TimeSpan.FromSeconds((int?)call["keepAlive"] ?? 60),
            MaxInFlight = (int?)call["window"] ?? 64,
            CleanSession = true,
        };
    }

    /// <summary>Time and bytes allocated by all threads, the call's own few included.</summary>
    private static async Task<JsonNode?> MeasureAsync(Func<Task<TimeSpan>> work)
    {
        var before = GC.GetTotalAllocatedBytes(precise: true);
        var time = await work();
        return new JsonObject
        {
            ["seconds"] = time.TotalSeconds,
            ["allocated"] = GC.GetTotalAllocatedBytes(precise: true) - before,
        };
    }
}
