using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.Hub;

namespace EdgeDm.Benchmarks.SessionClient;

/// <summary>What the client can be told to do, by the public members of <see cref="IoTHubSession"/>; and by raw MQTT, to measure servers.</summary>
internal sealed class Calls : IAsyncDisposable
{
    private readonly List<IoTHubSession> sessions = [];
    private TwinCalls? twin;
    private readonly List<RawClient> raw = [];
    private BareTls? tls;
    private Task serving = Task.CompletedTask;

    private IoTHubSession Session => sessions[0];

    /// <summary>Carries out one call.</summary>
    /// <param name="call"><c>call</c> is its name; what else there is are its parameters.</param>
    public async Task<JsonNode?> RunAsync(JsonObject call) =>
        (string?)call["call"] switch
        {
            "hello" => null,
            "tls" => await ConnectTlsAsync(OptionsOf(call)),
            "connect" => await ConnectAsync(call),
            "send" => await MeasureAsync(() => Telemetry.SendAsync(Session, Shape.Of(call))),
            "serve" => Serve(),
            "patch" => Microseconds(await TwinCalls.PatchAsync(Session, (int)call["count"]!)),
            "watch" => await WatchAsync(),
            "watched" => Microseconds(await twin!.TakeAsync((int)call["count"]!)),
            "untilLost" => TextOf((await Session.Completion).Reason.ToString()),
            "deliver" => await Delivery.RunAsync(
                () => OptionsOf(call),
                (int)call["count"]!,
                (int)call["window"]!,
                (string)call["output"]!
            ),
            "raw" => ConnectRaw(call),
            "routed" => await RunRoutedAsync(call),
            "receive" => await MeasureAsync(() => Inputs.ReceiveAsync(Session, (int)call["count"]!)),
            var unknown => throw new NotSupportedException($"There is no call '{unknown}'."),
        };

    public async ValueTask DisposeAsync()
    {
        foreach (var session in sessions)
        {
            await session.DisposeAsync();
        }
        await serving;
        foreach (var client in raw)
        {
            client.Dispose();
        }
        if (tls is not null)
        {
            await tls.DisposeAsync();
        }
    }

    private async Task<JsonNode?> ConnectTlsAsync(HubSessionOptions options)
    {
        tls = await BareTls.ConnectAsync(
            options.GatewayHostName ?? options.HubHostName,
            options.Port,
            options.TrustedRoots!
        );
        return null;
    }

    /// <summary>Answers every method with what it was called with.</summary>
    private JsonNode? Serve()
    {
        serving = Session.ServeMethodsAsync(
            (request, _) => ValueTask.FromResult(new MethodResult(200, request.Payload))
        );
        return null;
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

    /// <summary>Connects <c>clients</c>, and keeps them in this order behind those that there are.</summary>
    private JsonNode? ConnectRaw(JsonObject call)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPemFile((string)call["rootFile"]!);
        foreach (var who in call["clients"]!.AsArray())
        {
            raw.Add(RawClient.Connect((string)call["host"]!, (int)call["port"]!, roots, who!.AsObject()));
        }
        return null;
    }

    /// <summary>The first <c>topics</c> pairs: sender and receiver stand side by side in <see cref="raw"/>.</summary>
    private Task<JsonNode> RunRoutedAsync(JsonObject call)
    {
        var pairs = call["topics"]!
            .AsArray()
            .Select((topic, i) => (raw[2 * i], Encoding.UTF8.GetBytes((string)topic!), raw[(2 * i) + 1]))
            .ToList();
        return Routed.RunAsync(pairs, (int)call["count"]!, (int)call["window"]!, (int)call["bytes"]!);
    }

    private async Task<JsonNode?> WatchAsync()
    {
        twin = await TwinCalls.WatchAsync(Session);
        return null;
    }

    private static JsonValue TextOf(string text) => JsonValue.Create(text);

    private static JsonArray Microseconds(IEnumerable<TimeSpan> times) =>
        new JsonArray([.. times.Select(time => (JsonNode)JsonValue.Create(time.TotalMicroseconds))]);

    private static HubSessionOptions OptionsOf(JsonObject call)
    {
        var roots = new X509Certificate2Collection();
        if ((string?)call["rootFile"] is { } file)
        {
            roots.ImportFromPemFile(file);
        }
        return HubSessionOptions.FromConnectionString((string)call["connectionString"]!) with
        {
            Port = (int)call["port"]!,
            TrustedRoots = roots,
            // The one thing here that applications do not have: brokers without TLS are for measuring.
            Transport = roots.Count > 0 ? HubTransport.Tcp : HubTransport.Plain,
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
