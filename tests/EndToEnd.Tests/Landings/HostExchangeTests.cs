using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests.Landings;

/// <summary>What an earlier landing's DeviceManagement asked, asked of the newest HostAccess.</summary>
public sealed class HostExchangeTests
{
    /// <summary>An update passes these in order; one may be over before it is seen.</summary>
    private static readonly string[] States =
    [
        HostUpdateState.Accepted,
        HostUpdateState.Staging,
        HostUpdateState.Installing,
        HostUpdateState.Rebooting,
        HostUpdateState.Verifying,
        HostUpdateState.Committed,
        "completed", // A reboot's; it begins with "accepted".
    ];

    /// <summary>Those whose interface this one still speaks.</summary>
    public static TheoryData<string> Near => [.. Landing.Versions.Where(IsNear)];

    /// <summary>Those that are too far away by now.</summary>
    public static TheoryData<string> Far => [.. Landing.Versions.Where(version => !IsNear(version))];

    [Theory]
    [MemberData(nameof(Near))]
    public async Task Ask_AsAnEarlierDeviceManagement_IsAnsweredAsThen(string version)
    {
        var folder = Path.Combine(Landing.Home, version, HostExchanges.FolderName);
        await using var gateway = await Gateway.StartAsync(
            gateway => Prepare(gateway, folder),
            "--except",
            "DeviceManagement"
        );
        using var host = Connect(gateway);

        foreach (var exchange in ExchangesOf(version))
        {
            var then = exchange["answer"]!.AsObject();
            var state = (string?)then["state"];
            var (status, now) = await HubService.WaitAsync(async () =>
                await AskAsync(host, exchange) is { } got && Rank((string?)got.Answer["state"]) >= Rank(state)
                    ? Tuple.Create(got.Status, got.Answer)
                    : null
            );

            var what = $"{exchange["method"]} {exchange["path"]} was answered by {then} and is now by {now}";
            status.ShouldBe((int)exchange["status"]!, what);
            if ((string?)now["state"] == state)
            {
                // Whoever read the answer of then finds all that it read, in the same form.
                foreach (var (name, value) in then)
                {
                    KindOf(now[name]).ShouldBe(KindOf(value), $"{name}: {what}");
                }
            }
        }

        File.ReadAllLines(Path.Combine(gateway.SimulatedHost, "root", "count")).ShouldBe(["installed"]);
    }

    [Theory]
    [MemberData(nameof(Far))]
    public async Task Ask_AsADeviceManagementTooFarAway_IsRefusedAndDoesNothing(string version)
    {
        var folder = Path.Combine(Landing.Home, version, HostExchanges.FolderName);
        await using var gateway = await Gateway.StartAsync(
            gateway => Prepare(gateway, folder),
            "--except",
            "DeviceManagement"
        );
        using var host = Connect(gateway);

        foreach (var exchange in ExchangesOf(version))
        {
            var (status, now) = await HubService.WaitAsync(async () =>
                await AskAsync(host, exchange) is { } got ? Tuple.Create(got.Status, got.Answer) : null
            );
            if ((string?)exchange["path"] == HostApi.Root)
            {
                status.ShouldBe(200); // So that both sides can tell how far apart they are.
                continue;
            }
            status.ShouldBe(400, $"{exchange["method"]} {exchange["path"]}: {now}");
            ((int?)now["code"]).ShouldBe(ErrorRegistry.HostApiVersion.Code);
        }

        File.Exists(Path.Combine(gateway.SimulatedHost, "root", "count")).ShouldBeFalse();
    }

    private static bool IsNear(string version)
    {
        var said = (string?)ExchangesOf(version).First()["headers"]![HostApiVersion.Header];
        return HostApiVersion.TryParse(said, out var spoken) && spoken.WorksWith(HostApiVersion.Current);
    }

    private static IEnumerable<JsonObject> ExchangesOf(string version)
    {
        var file = Path.Combine(Landing.Home, version, HostExchanges.FolderName, "exchanges.json");
        return JsonNode.Parse(File.ReadAllText(file))!.AsArray().Select(exchange => exchange!.AsObject());
    }

    private static JsonValueKind KindOf(JsonNode? value) => value?.GetValueKind() ?? JsonValueKind.Null;

    private static int Rank(string? state) => state is null ? 0 : Array.IndexOf(States, state);

    private static void Prepare(Gateway gateway, string folder)
    {
        File.Copy(
            Path.Combine(folder, "root.jwk.json"),
            Path.Combine(gateway.ConfigurationFolder, "root.jwk.json"),
            overwrite: true
        );
        var store = Directory.CreateDirectory(Path.Combine(gateway.DataFolder, "volumes", "edgedm-store", "sha256"));
        foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, "files")))
        {
            var digest = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));
            File.Copy(file, Path.Combine(store.FullName, digest));
        }
    }

    private static HttpClient Connect(Gateway gateway)
    {
        var socket = Path.Combine(gateway.DataFolder, "volumes", "edgedm-verbs", "host-access.sock");
        return new(
            new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancel) =>
                {
                    var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancel);
                    return new NetworkStream(connection, ownsSocket: true);
                },
            }
        )
        {
            BaseAddress = new("http://host-access"),
        };
    }

    /// <summary>Null while HostAccess is away, or has restarted between two questions.</summary>
    private static async Task<(int Status, JsonObject Answer)?> AskAsync(HttpClient host, JsonObject exchange)
    {
        try
        {
            // The same wait as then would only make the test slow.
            var path = ((string)exchange["path"]!).Replace("waitSeconds=20", "waitSeconds=1", StringComparison.Ordinal);
            using var request = new HttpRequestMessage(new((string)exchange["method"]!), path);
            foreach (var (name, value) in exchange["headers"]!.AsObject())
            {
                request.Headers.TryAddWithoutValidation(name, (string?)value);
            }
            if (exchange["request"] is { } body)
            {
                request.Content = new StringContent(
                    (await OfThisInstanceAsync(host, body)).ToJsonString(),
                    Encoding.UTF8,
                    "application/json"
                );
            }
            using var answer = await host.SendAsync(request);
            var json = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!.AsObject();
            return answer.StatusCode == HttpStatusCode.Conflict ? null : ((int)answer.StatusCode, json);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>Evidence names the host instance that it is about: now another one.</summary>
    private static async Task<JsonNode> OfThisInstanceAsync(HttpClient host, JsonNode body)
    {
        var changed = body.DeepClone();
        if (changed["hostInstanceId"] is not null)
        {
            var info = JsonNode.Parse(await host.GetStringAsync(HostApi.Root))!;
            changed["hostInstanceId"] = (string?)info["hostInstanceId"];
        }
        return changed;
    }
}
