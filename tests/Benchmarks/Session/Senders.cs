using System.Text.Json.Nodes;

namespace EdgeDm.Benchmarks.Session;

/// <summary>Starts and connects the clients that send.</summary>
internal static class Senders
{
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromMinutes(1);

    /// <summary>Ours and the official client, each a module of the dev hub.</summary>
    public static async Task<IReadOnlyList<Sender>> AtHubAsync(BenchPlace place, CancellationToken cancellationToken)
    {
        var hub = place.Hub;
        var senders = new List<Sender>
        {
            await ConnectAsync(
                place.StartOurs(),
                "ours",
                hub.ConnectionOf(BenchHub.Ours),
                () => hub.Processor,
                cancellationToken
            ),
        };
        if (place.HasNode)
        {
            senders.Add(
                await ConnectAsync(
                    place.StartNode("azure"),
                    "azure-iot-device",
                    hub.ConnectionOf(BenchHub.Peer),
                    () => hub.Processor,
                    cancellationToken
                )
            );
        }
        return senders;
    }

    /// <summary>Ours, mqtt.js and mosquitto_pub, each publishing on a device's topic at mosquitto.</summary>
    public static async Task<IReadOnlyList<Sender>> AtBrokerAsync(
        BenchPlace place,
        Broker broker,
        bool tls,
        CancellationToken cancellationToken
    )
    {
        var senders = new List<Sender>
        {
            await ConnectAsync(
                place.StartOurs(),
                "ours",
                broker.ConnectionOf("ours", tls),
                () => broker.Processor,
                cancellationToken
            ),
        };
        if (place.HasNode)
        {
            senders.Add(
                await ConnectAsync(
                    place.StartNode("plain"),
                    "mqtt.js",
                    broker.PlainConnectionOf("peer", tls),
                    () => broker.Processor,
                    cancellationToken,
                    TopicOf("peer")
                )
            );
        }
        senders.Add(MosquittoPub(place, broker, tls));
        return senders;
    }

    private static string TopicOf(string device) => $"devices/{device}/messages/events/";

    private static Sender MosquittoPub(BenchPlace place, Broker broker, bool tls)
    {
        string[] arguments =
        [
            .. new[] { "-h", broker.Address, "-p", $"{(tls ? broker.TlsPort : broker.PlainPort)}" },
            .. tls ? new[] { "--cafile", place.Hub.RootFile } : [],
            .. new[] { "-q", "1", "-i", "mosq", "-t", TopicOf("mosq") },
        ];
        var folder = place.Folder($"lines-{tls}");
        return new(
            "mosquitto_pub",
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
        Func<TimeSpan> server,
        CancellationToken cancellationToken,
        string? topic = null
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
