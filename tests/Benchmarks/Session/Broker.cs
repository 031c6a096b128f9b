using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.Benchmarks.Session;

/// <summary>A mosquitto of our own on the server's core: it takes anybody, keeps nothing, and listens with TLS and without.</summary>
internal sealed class Broker : IAsyncDisposable
{
    // Ends the broker when its input ends, so also when the bench is killed. Ctrl-C reaches it too and must not part it from the broker.
    private const string Parent = """
        trap '' INT
        "$@" </dev/null 2>"$0" & broker=$!
        echo "$broker"
        read -r _
        kill "$broker"; wait "$broker"
        """;

    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(20);

    private readonly Process parent;
    private readonly BenchHub hub;

    private Broker(Process parent, BenchHub hub)
    {
        this.parent = parent;
        this.hub = hub;
    }

    /// <summary>Its process.</summary>
    public int ProcessId { get; private set; }

    /// <summary>User and system time until now.</summary>
    public TimeSpan Processor => ProcessSample.ProcessorOfTree(ProcessId);

    /// <summary>With TLS.</summary>
    public int TlsPort { get; private init; }

    /// <summary>Without.</summary>
    public int PlainPort { get; private init; }

    /// <summary>Where it listens: where the dev hub does, whose certificate it has.</summary>
    public string Address => hub.Address;

    /// <summary>Starts one.</summary>
    /// <param name="folder">For its configuration.</param>
    /// <param name="hub">Lends its address and its certificate.</param>
    /// <param name="cores">Its core is the server's.</param>
    /// <param name="inFlight">Messages that a receiver may have without acknowledging them.</param>
    /// <param name="cancellationToken">Ends it again.</param>
    public static async Task<Broker> StartAsync(
        string folder,
        BenchHub hub,
        Cores cores,
        int inFlight,
        CancellationToken cancellationToken
    )
    {
        var (tls, plain) = (FreePort(hub.Address), FreePort(hub.Address));
        var file = Path.Combine(folder, "mosquitto.conf");
        var log = Path.Combine(folder, "mosquitto.log");
        await File.WriteAllTextAsync(
            file,
            $"""
            per_listener_settings false
            allow_anonymous true
            persistence false
            log_type error
            user {Environment.UserName}
            set_tcp_nodelay true
            max_inflight_messages {inFlight}
            max_queued_messages 0
            listener {plain} {hub.Address}
            listener {tls} {hub.Address}
            certfile {hub.ServerFiles.Certificate}
            keyfile {hub.ServerFiles.Key}

            """,
            cancellationToken
        );
        string[] command = ["-c", Parent, log, .. Cores.On(cores.Server), Mosquitto.Server!, "-c", file];
        var start = new ProcessStartInfo("bash", command)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var broker = new Broker(Process.Start(start)!, hub) { TlsPort = tls, PlainPort = plain };
        try
        {
            var first = await broker.parent.StandardOutput.ReadLineAsync(cancellationToken);
            broker.ProcessId = int.Parse(
                first ?? throw new BenchException("mosquitto does not start."),
                CultureInfo.InvariantCulture
            );
            await broker.WaitAsync(log, cancellationToken);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>What our client needs to connect as a device; the broker looks at no key.</summary>
    public JsonObject ConnectionOf(string device, bool tls = true) =>
        new()
        {
            ["connectionString"] = $"HostName={Address};DeviceId={device};SharedAccessKey=bm9uZQ==",
            ["port"] = tls ? TlsPort : PlainPort,
            ["rootFile"] = tls ? hub.RootFile : null,
        };

    /// <summary>What any MQTT client needs.</summary>
    public JsonObject PlainConnectionOf(string clientId, bool tls) =>
        new()
        {
            ["host"] = Address,
            ["clientId"] = clientId,
            ["port"] = tls ? TlsPort : PlainPort,
            ["rootFile"] = tls ? hub.RootFile : null,
        };

    public async ValueTask DisposeAsync()
    {
        parent.StandardInput.Close();
        await parent.WaitForExitAsync(CancellationToken.None);
        parent.Dispose();
    }

    private async Task WaitAsync(string log, CancellationToken cancellationToken)
    {
        var begin = Stopwatch.GetTimestamp();
        using var period = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (true)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Parse(Address), PlainPort, cancellationToken);
                return;
            }
            catch (SocketException)
            {
                if (Stopwatch.GetElapsedTime(begin) > LongestStart)
                {
                    throw new BenchException(
                        $"mosquitto does not serve. {await File.ReadAllTextAsync(log, cancellationToken)}"
                    );
                }
                await period.WaitForNextTickAsync(cancellationToken);
            }
        }
    }

    private static int FreePort(string address)
    {
        using var listener = new TcpListener(IPAddress.Parse(address), 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
