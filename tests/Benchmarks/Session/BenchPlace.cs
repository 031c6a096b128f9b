using System.Text.Json.Nodes;
using EdgeDm.Testing;

namespace EdgeDm.Benchmarks.Session;

/// <summary>Where the clients of one run meet: the servers, the cores, and who can be measured here at all.</summary>
internal sealed class BenchPlace : IAsyncDisposable
{
    private static readonly string PeerFolder = Path.Combine(
        RepositoryRoot.Path,
        "tests",
        "Benchmarks",
        "Session",
        "node"
    );

    /// <summary>Of mosquitto's: more than any client sends without an acknowledgement.</summary>
    private const int InFlight = 100;

    private readonly WorkFolder work;

    private BenchPlace(BenchRun run, bool isQuick, WorkFolder work, Cores cores, BenchHub hub)
    {
        Rounds = run.Rounds;
        Progress = run.Progress;
        IsQuick = isQuick;
        Cores = cores;
        Hub = hub;
        this.work = work;
    }

    /// <summary>Samples of each side.</summary>
    public int Rounds { get; }

    /// <summary>For people.</summary>
    public TextWriter Progress { get; }

    /// <summary>Less is measured.</summary>
    public bool IsQuick { get; }

    /// <summary>Who runs where.</summary>
    public Cores Cores { get; }

    /// <summary>The dev hub.</summary>
    public BenchHub Hub { get; }

    /// <summary>mosquitto; null = it is not installed.</summary>
    public Broker? Broker { get; private set; }

    /// <summary>Node's clients can run.</summary>
    public bool HasNode { get; } = Directory.Exists(Path.Combine(PeerFolder, "node_modules"));

    /// <summary>Starts the servers, and says loudly what will be missing.</summary>
    public static async Task<BenchPlace> OpenAsync(
        BenchRun run,
        bool isQuick,
        WorkFolder work,
        CancellationToken cancellationToken
    )
    {
        var cores = Cores.Read();
        if (cores.AreOne)
        {
            await run.Progress.WriteLineAsync(
                "ATTENTION: one core for client and server: rates say little, CPU per message still does."
            );
        }
        var place = new BenchPlace(
            run,
            isQuick,
            work,
            cores,
            await BenchHub.StartAsync(work.Create("hub"), cores, BenchDeployment.ForSessions)
        );
        try
        {
            if (!place.HasNode)
            {
                await run.Progress.WriteLineAsync(
                    "ATTENTION: Node.js or its packages are missing: no azure-iot-device, no mqtt.js."
                );
            }
            if (Mosquitto.Server is null || Mosquitto.Publisher is null)
            {
                await run.Progress.WriteLineAsync(
                    "ATTENTION: mosquitto is missing: no broker, no mosquitto_pub. Install it: apt-get install mosquitto mosquitto-clients"
                );
            }
            else
            {
                place.Broker = await Broker.StartAsync(
                    work.Create("broker"),
                    place.Hub,
                    cores,
                    InFlight,
                    cancellationToken
                );
            }
            return place;
        }
        catch
        {
            await place.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts our client, on the client's core or another.</summary>
    public ClientProcess StartOurs(int? core = null) =>
        ClientProcess.Start(
            "ours",
            [.. Cores.On(core ?? Cores.Client), Built.Program("tests/Benchmarks.SessionClient")]
        );

    /// <summary>Starts our client in the form in which modules are deployed: trimmed, with the runtime it needs.</summary>
    public ClientProcess StartOursPublished() =>
        ClientProcess.Start(
            "ours, published",
            [
                .. Cores.On(Cores.Client),
                Path.Combine(Built.Published("tests/Benchmarks.SessionClient"), "EdgeDm.Benchmarks.SessionClient"),
            ]
        );

    /// <summary>Starts a Node client: a file of the folder without its extension.</summary>
    public ClientProcess StartNode(string kind) =>
        ClientProcess.Start(kind, [.. Cores.On(Cores.Client), "node", Path.Combine(PeerFolder, "peer.js"), kind]);

    /// <summary>Starts mosquitto_pub with these arguments.</summary>
    public ClientProcess StartMosquittoPub(params string[] arguments) =>
        ClientProcess.Start(
            "mosquitto_pub",
            [.. Cores.On(Cores.Client), "bash", Path.Combine(PeerFolder, "..", "mosquitto-pub.sh"), .. arguments]
        );

    /// <summary>Starts our client and the official one, each connected to the dev hub as a module.</summary>
    /// <param name="with">More parameters of the connection.</param>
    /// <param name="cancellationToken">Ends them again.</param>
    public async Task<Pair> StartPairAsync(JsonObject? with, CancellationToken cancellationToken)
    {
        var pair = new Pair(StartOurs(), HasNode ? StartNode("azure") : null);
        try
        {
            await pair.ConnectAsync(Hub, with, cancellationToken);
            return pair;
        }
        catch
        {
            await pair.DisposeAsync();
            throw;
        }
    }

    /// <summary>A folder that lasts as long as the run.</summary>
    public string Folder(string name) => work.Create(name);

    public async ValueTask DisposeAsync()
    {
        if (Broker is not null)
        {
            await Broker.DisposeAsync();
        }
        await Hub.DisposeAsync();
    }
}
