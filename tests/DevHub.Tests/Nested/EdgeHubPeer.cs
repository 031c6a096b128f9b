using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.DevHub.Tests.Nested;

/// <summary>
/// An edgeHub as its IoT Hub sees it (Azure/iotedge, <c>NestedDeviceScopeApiClient</c> and <c>CloudConnectionProvider</c>): whatever it asks
/// and for whomever it connects, it signs as its own <c>$edgeHub</c>.
/// </summary>
internal sealed class EdgeHubPeer : IDisposable
{
    private readonly TestHub hub;
    private readonly HttpClient http;

    public EdgeHubPeer(TestHub hub, string device = "gateway")
    {
        this.hub = hub;
        Device = device;
        http = hub.MakeHttp(authorization: null);
        // For HTTPS it encodes the ids before the audience as a whole, for MQTT it does not.
        http.DefaultRequestHeaders.Authorization = AuthenticationHeaderValue.Parse(
            SasToken.Make(
                $"{hub.Options.EffectiveHubHostName}/devices/{Uri.EscapeDataString(device)}/modules/%24edgeHub",
                hub.Server.Identities.Find(Identity)!.PrimaryKey,
                hub.Time.GetUtcNow().AddHours(1)
            )
        );
        Token = hub.Token(Identity);
    }

    public string Device { get; }

    public HubIdentity Identity => new(Device, "$edgeHub");

    /// <summary>Its password, whomever it speaks for.</summary>
    public string Token { get; set; }

    /// <summary>The hub as the IoT Hub above edgeHubs.</summary>
    public static Task<TestHub> StartHubAsync(
        Func<DevHubOptions, DevHubOptions>? change = null,
        TimeProvider? time = null
    ) => TestHub.StartAsync(o => (change?.Invoke(o) ?? o) with { Profile = HubProfile.IoTHub }, time);

    public Task<HttpResponseMessage> ScopeAsync(string chain, int? pageSize = 100, string? continuationLink = null)
    {
        var body = new JsonObject { ["pageSize"] = pageSize, ["authChain"] = chain };
        if (continuationLink is not null)
        {
            body["continuationLink"] = continuationLink;
        }
        return PostAsync("devicesAndModulesInTargetDeviceScope", body);
    }

    public Task<HttpResponseMessage> OnBehalfAsync(string chain, string device, string? module = null)
    {
        var body = new JsonObject { ["targetDeviceId"] = device, ["authChain"] = chain };
        if (module is not null)
        {
            body["targetModuleId"] = module;
        }
        return PostAsync("getDeviceAndModuleOnBehalfOf", body);
    }

    public Task<HttpResponseMessage> GetAsync(string call, string query) =>
        http.GetAsync($"/devices/{Device}/modules/$edgeHub/{call}?{query}&api-version=2018-08-30-preview");

    public Task<HttpResponseMessage> PostAsync(string call, JsonObject body, string? actor = null) =>
        http.PostAsync(
            $"/devices/{actor ?? Device}/modules/$edgeHub/{call}?api-version=2020-06-30-preview",
            TestHub.Json(body.ToJsonString())
        );

    /// <summary>All names in its device's scope, page by page.</summary>
    public async Task<List<string>> NamesAsync(string? chain = null, int pageSize = 100)
    {
        var names = new List<string>();
        string? next = null;
        do
        {
            var answer = await ReadAsync(await ScopeAsync(chain ?? Device, pageSize, next));
            names.AddRange(NamesIn(answer));
            next = (string?)answer["continuationLink"];
        } while (next is not null);
        return names;
    }

    public static IEnumerable<string> NamesIn(JsonObject answer) =>
        answer["devices"]!
            .AsArray()
            .Select(d => $"{d!["deviceId"]}")
            .Concat(answer["modules"]!.AsArray().Select(m => $"{m!["deviceId"]}/{m["moduleId"]}"));

    public static async Task<JsonObject> ReadAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        ((int)answer.StatusCode).ShouldBe(200, text);
        return JsonNode.Parse(text)!.AsObject();
    }

    /// <summary>Connects itself, a module or a device below it, and tells what came of it.</summary>
    /// <param name="client">Whom it speaks for.</param>
    /// <param name="chain">As in the user name; null = none there.</param>
    /// <param name="clean">A clean session.</param>
    public async Task<(MqttTestClient Client, ConnackCode Code)> TryConnectAsync(
        HubIdentity client,
        string? chain,
        bool clean = true
    )
    {
        var connection = await MqttTestClient.OpenAsync(hub, client);
        var userName =
            $"hub.example/{client}/?api-version=2020-09-30&DeviceClientType={Uri.EscapeDataString("iotedge/1.5")}";
        if (chain is not null)
        {
            userName += $"&auth-chain={Uri.EscapeDataString(chain)}";
        }
        var connack = await connection.SendConnectAsync(
            new(client.ToString(), clean, 300, userName, Encoding.UTF8.GetBytes(Token))
        );
        return (connection, connack.Code);
    }

    /// <summary>The same, which must succeed.</summary>
    public async Task<MqttTestClient> ConnectAsync(HubIdentity client, string chain, bool clean = true)
    {
        var (connection, code) = await TryConnectAsync(client, chain, clean);
        code.ShouldBe(ConnackCode.Accepted);
        return connection;
    }

    /// <summary>Connects for a module of its device, with the subscriptions that edgeHub makes for one.</summary>
    public async Task<MqttTestClient> ModuleAsync(string module)
    {
        var client = await ConnectAsync(new(Device, module), $"{Device}/{module};{Device}");
        client.AutoAcknowledge = true;
        await client.SubscribeAsync(HubTopics.TwinResponseFilter, HubTopics.DesiredFilter, HubTopics.MethodFilter);
        return client;
    }

    public void Dispose() => http.Dispose();
}

/// <summary>Devices around the gateway.</summary>
internal static class Surroundings
{
    public static string ScopeOf(this TestHub hub, string device) =>
        hub.Server.Identities.Find(new(device))!.DeviceScope!;

    /// <summary>A device without modules below an Edge device.</summary>
    public static HubIdentity Leaf(this TestHub hub, string name, string? above = "gateway") =>
        hub.Server.Identities.Create(new(new(name), DeviceScope: above is null ? null : hub.ScopeOf(above))).Id;

    /// <summary>An Edge device, below another or not, with one module <c>m</c>.</summary>
    public static HubIdentity Edge(this TestHub hub, string name, string? above = null)
    {
        var made = hub.Server.Identities.Create(
            new(new(name), IotEdge: true, ParentScope: above is null ? null : hub.ScopeOf(above))
        );
        hub.Server.Identities.Create(new(new(name, "m")));
        return made.Id;
    }
}
