using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using EdgeDm.Hub;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests.Queues;

/// <summary>
/// A dev hub whose process can be killed, a module that sends numbered messages through it, several at a time and each until it is
/// acknowledged, and one that receives them when it is there.
/// </summary>
internal sealed class QueueTraffic : IAsyncDisposable
{
    private const string Sender = "Sender";
    private const string Receiver = "Receiver";
    private const int SentTogether = 8;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(20);

    private static readonly string Deployment = """
        {"modulesContent": {
          "$edgeAgent": {"properties.desired": {"schemaVersion": "1.1",
            "runtime": {"type": "docker", "settings": {}},
            "systemModules": {
              "edgeAgent": {"type": "docker", "settings": {"image": "agent"}},
              "edgeHub": {"type": "docker", "status": "running", "restartPolicy": "always", "settings": {"image": "hub"}}},
            "modules": {
              "Sender": {"type": "docker", "status": "running", "settings": {"image": "contoso/sender:1"}},
              "Receiver": {"type": "docker", "status": "running", "settings": {"image": "contoso/receiver:1"}}}}},
          "$edgeHub": {"properties.desired": {"schemaVersion": "1.1", "routes": {
            "r": "FROM /messages/modules/Sender/outputs/out INTO BrokeredEndpoint(\"/modules/Receiver/inputs/in\")"}}}}}
        """;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("queues");
    private readonly ConcurrentQueue<string> output = new();
    private readonly ConcurrentDictionary<int, bool> acknowledged = new();
    private readonly ConcurrentDictionary<int, int> received = new();
    private readonly CancellationTokenSource sending = new();
    private CancellationTokenSource? receiving;
    private DevHubProgram hub = null!;
    private (int Mqtt, int Https) ports;
    private Task sender = Task.CompletedTask;
    private Task receiver = Task.CompletedTask;
    private int lastNumber;

    private QueueTraffic() { }

    /// <summary>Messages of which the hub said that it has them.</summary>
    public int Acknowledged => acknowledged.Count;

    /// <summary>Receptions beyond the first of each message.</summary>
    public int Duplicates => received.Values.Sum() - received.Count;

    /// <summary>Acknowledged and not received.</summary>
    public IReadOnlyList<int> Missing => [.. acknowledged.Keys.Where(n => !received.ContainsKey(n)).Order()];

    public static async Task<QueueTraffic> StartAsync()
    {
        var traffic = new QueueTraffic();
        await File.WriteAllTextAsync(traffic.DeploymentFile, Deployment);
        await traffic.StartHubAsync();
        traffic.ports = traffic.hub.Ports;
        traffic.sender = traffic.RunAsync(Sender, traffic.SendAsync, traffic.sending.Token);
        return traffic;
    }

    /// <summary>Returns when so many more messages were acknowledged.</summary>
    public async Task WaitForMoreAsync(int count)
    {
        var goal = Acknowledged + count;
        await HubService.WaitAsync(() => Task.FromResult(Acknowledged >= goal ? this : null), Patience);
    }

    /// <summary>SIGKILL to the hub, and a new one with the same state.</summary>
    public async Task KillAsync()
    {
        await hub.StopAsync(kill: true);
        await StartHubAsync();
    }

    /// <summary>The receiver comes or goes.</summary>
    public async Task ReceiveAsync(bool isThere)
    {
        if (isThere && receiving is null)
        {
            receiving = new();
            receiver = RunAsync(Receiver, ReceiveAsync, receiving.Token);
        }
        else if (!isThere && receiving is not null)
        {
            await receiving.CancelAsync();
            await receiver;
            receiving.Dispose();
            receiving = null;
        }
    }

    /// <summary>Sends no more, and receives until nothing is missing, or it is clear that something will be.</summary>
    public async Task FinishAsync()
    {
        await sending.CancelAsync();
        await sender;
        await ReceiveAsync(isThere: true);
        try
        {
            await HubService.WaitAsync(() => Task.FromResult(Missing.Count == 0 ? this : null), Patience);
        }
        catch (OperationCanceledException)
        {
            // The check says what is missing.
        }
        await ReceiveAsync(isThere: false);
    }

    public async ValueTask DisposeAsync()
    {
        await sending.CancelAsync();
        await sender;
        await ReceiveAsync(isThere: false);
        await hub.DisposeAsync();
        sending.Dispose();
        folder.Delete(recursive: true);
    }

    private string DeploymentFile => Path.Combine(folder.FullName, "deployment.json");

    private string Data => Path.Combine(folder.FullName, "data");

    private async Task StartHubAsync() =>
        hub = await DevHubProgram.StartAsync(
            Data,
            [
                .. new[] { "--deployment", DeploymentFile, "--module-environment", "iotedgehubdev" },
                .. new[] { "--mqtt-port", $"{ports.Mqtt}", "--https-port", $"{ports.Https}" },
                .. new[] { "--except", Sender, "--except", Receiver },
            ],
            output
        );

    private async Task RunAsync(
        string module,
        Func<IoTHubSession, CancellationToken, Task> body,
        CancellationToken cancellationToken
    )
    {
        try
        {
            await HubReconnect.RunAsync(
                token => HubSessionOptions.FromEdgeEnvironmentAsync(Variables(module), token),
                body,
                _ => new(Retry: true, Retry),
                cancellationToken: cancellationToken
            );
        }
        catch (OperationCanceledException)
        {
            // As asked.
        }
    }

    private async Task SendAsync(IoTHubSession session, CancellationToken cancellationToken)
    {
        while (true)
        {
            // What an earlier connection left unacknowledged comes first.
            var numbers = Enumerable
                .Range(1, lastNumber)
                .Where(n => !acknowledged.ContainsKey(n))
                .Concat(Enumerable.Range(lastNumber + 1, SentTogether))
                .Take(SentTogether)
                .ToArray();
            lastNumber = Math.Max(lastNumber, numbers[^1]);
            await Task.WhenAll(numbers.Select(SendOneAsync));
        }

        async Task SendOneAsync(int number)
        {
            var text = number.ToString(CultureInfo.InvariantCulture);
            await session.SendToOutputAsync("out", new(Encoding.UTF8.GetBytes(text)), cancellationToken);
            acknowledged[number] = true;
        }
    }

    private async Task ReceiveAsync(IoTHubSession session, CancellationToken cancellationToken)
    {
        await foreach (var message in session.ReadInputsAsync(cancellationToken: cancellationToken))
        {
            received.AddOrUpdate(int.Parse(message.GetText(), CultureInfo.InvariantCulture), 1, (_, n) => n + 1);
            await message.AckAsync();
        }
    }

    private Func<string, string?> Variables(string module)
    {
        const string prefix = "export ";
        var variables = File.ReadLines(Path.Combine(Data, "env", module + ".env"))
            .Where(line => line.StartsWith(prefix, StringComparison.Ordinal))
            .Select(line => line[prefix.Length..].Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair[1].Trim('\''), StringComparer.Ordinal);
        return name => variables.GetValueOrDefault(name);
    }
}
