using System.Text.Json.Nodes;

namespace EdgeDm.Benchmarks.Session;

/// <summary>Starts and connects the clients that send.</summary>
internal static class Senders
{
    /// <summary>A name in the text of rows.</summary>
    public const string Ours = "ours",
        MqttJs = "mqtt.js",
        MosquittoPub = "mosquitto_pub";

    private static readonly TimeSpan ConnectLimit = TimeSpan.FromMinutes(1);

    /// <summary>Ours and the official client, each a module of the dev hub.</summary>
    /// <param name="place">Where.</param>
    /// <param name="senders">Gets each as soon as it is connected; theirs who called.</param>
    /// <param name="cancellationToken">Ends the connecting.</param>
    public static async Task AtHubAsync(BenchPlace place, List<Sender> senders, CancellationToken cancellationToken)
    {
        var hub = place.Hub;
        await AddAsync(place.StartOurs(), Ours, BenchHub.Ours);
        if (place.HasNode)
        {
            await AddAsync(place.StartNode("azure"), Pair.PeerName, BenchHub.Peer);
        }

        async Task AddAsync(ClientProcess process, string name, string module) =>
            senders.Add(
                await ConnectAsync(
                    process,
                    name,
                    hub.ConnectionOf(module),
                    null,
                    () => hub.Processor,
                    cancellationToken
                )
            );
    }

    /// <summary>Ours, mqtt.js and mosquitto_pub, each publishing on a device's topic at mosquitto.</summary>
    /// <inheritdoc cref="AtHubAsync"/>
    public static async Task AtBrokerAsync(
        BenchPlace place,
        Broker broker,
        bool tls,
        List<Sender> senders,
        CancellationToken cancellationToken
    )
    {
        await AddAsync(place.StartOurs(), Ours, broker.ConnectionOf("ours", tls), null);
        if (place.HasNode)
        {
            await AddAsync(place.StartNode("plain"), MqttJs, broker.PlainConnectionOf("peer", tls), TopicOf("peer"));
        }
        senders.Add(StartMosquittoPub(place, broker, tls));

        async Task AddAsync(ClientProcess process, string name, JsonObject connection, string? topic) =>
            senders.Add(
                await ConnectAsync(process, name, connection, topic, () => broker.Processor, cancellationToken)
            );
    }

    private static string TopicOf(string device) => $"devices/{device}/messages/events/";

    private static Sender StartMosquittoPub(BenchPlace place, Broker broker, bool tls)
    {
        string[] arguments =
        [
            .. new[] { "-h", broker.Address, "-p", $"{(tls ? broker.TlsPort : broker.PlainPort)}" },
            .. tls ? new[] { "--cafile", place.Hub.RootFile } : [],
            .. new[] { "-q", "1", "-i", "mosq", "-t", TopicOf("mosq") },
        ];
        var folder = place.Folder($"lines-{tls}");
        return new(
            MosquittoPub,
            place.StartMosquittoPub(arguments),
            () => broker.Processor,
            shape => new() { ["file"] = LinesFile(folder, shape) }
        );
    }

    private static string LinesFile(string folder, Shape shape)
    {
        var file = Path.Combine(folder, $"{shape.Count}-{shape.Bytes}");
        if (!File.Exists(file))
        {
            File.WriteAllLines(file, Enumerable.Repeat(new string('x', shape.Bytes), shape.Count));
        }
        return file;
    }

    private static async Task<Sender> ConnectAsync(
        ClientProcess process,
        string name,
        JsonObject connection,
        string? topic,
        Func<TimeSpan> server,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await process.CallAsync("connect", connection, ConnectLimit, cancellationToken);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
        return new(name, process, server, Parameters);

        JsonObject Parameters(Shape shape)
        {
            var parameters = shape.ToJson();
            parameters["topic"] = topic;
            return parameters;
        }
    }
}
