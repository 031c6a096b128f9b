using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.Hub;
using EdgeDm.Testing;

namespace EdgeDm.EndToEnd.Tests.HubState;

/// <summary>
/// Everything that a hub keeps, once: a device made and one deleted, twins written and reported, a configuration, jobs of both types, messages
/// from the cloud, a file in blocks. Each step is asked for until the hub acknowledges it, whenever the hub dies; what is
/// acknowledged must hold then and at the end.
/// </summary>
internal sealed class HubRound(MortalHub hub, int number)
{
    private static readonly string Key = Convert.ToBase64String(new byte[32]);

    private readonly string device = $"d{number}";
    private readonly string gone = $"gone{number}";
    private int calls;

    public async Task RunAsync()
    {
        await MakeAndDeleteAsync();
        await using (var client = new HubDevice(hub, device, Key))
        {
            await HubService.WaitAsync(() => Task.FromResult(client.Session));
            await ReportAsync(client, number);
            await ConfigureAsync();
            await RunJobsAsync(client);
            await SendAsync(client);
            client.Broken.ShouldBeNull();
        }
        await UploadAsync();
        await DoAsync(HttpMethod.Delete, $"/configurations/c{number}", null, 204, 404);
        await WaitAsync($"/twins/{device}", twin => twin["configurations"]?[$"c{number}"] is null);
        await LeaveCleanAsync();
    }

    /// <summary>What must hold, whatever died in between.</summary>
    public async Task CheckAsync()
    {
        var identity = await GetAsync($"/devices/{device}");
        ((string?)identity["authentication"]!["symmetricKey"]!["primaryKey"]).ShouldBe(Key);
        ((int?)identity["cloudToDeviceMessageCount"]).ShouldBe(0);
        (await StatusAsync($"/devices/{gone}")).ShouldBe(404);
        var twin = await GetAsync($"/twins/{device}");
        ((int?)twin["tags"]!["round"]).ShouldBe(number);
        var desired = twin["properties"]!["desired"]!;
        ((int?)desired["a"]).ShouldBe(number);
        ((int?)desired["fromConfiguration"]).ShouldBe(number);
        ((int?)desired["fromJob"]).ShouldBe(number);
        ((int?)twin["properties"]!["reported"]!["b"]).ShouldBe(number);
        ((string?)(await GetAsync($"/jobs/v2/t{number}"))["status"]).ShouldBe("completed");
        var called = await GetAsync($"/jobs/v2/m{number}");
        ((string?)called["status"]).ShouldBe(calls == 1 ? "completed" : "failed");
        (await StatusAsync($"/configurations/c{number}")).ShouldBe(404);
        var files = (await GetAsync("/devhub/files")).AsArray();
        var file = files.Single(f => (string?)f!["deviceId"] == device && (string?)f["state"] == "succeeded")!;
        (
            await hub.AskAsync(async (service, _) => await service.TextAsync($"/devhub/files/{file["correlationId"]}"))
        ).ShouldBe($"first {number}, second {number}");
    }

    private async Task MakeAndDeleteAsync()
    {
        foreach (var id in new[] { device, gone })
        {
            var body = new JsonObject
            {
                ["authentication"] = new JsonObject
                {
                    ["symmetricKey"] = new JsonObject { ["primaryKey"] = Key, ["secondaryKey"] = Key },
                },
            };
            await DoAsync(HttpMethod.Put, $"/devices/{id}", body, 200, 409);
            await DoAsync(
                HttpMethod.Patch,
                $"/twins/{id}",
                JsonNode.Parse($$"""{"tags":{"round":{{number}} },"properties":{"desired":{"a":{{number}} } } }"""),
                200
            );
        }
        await DoAsync(HttpMethod.Delete, $"/devices/{gone}", null, 204, 404);
    }

    private static Task<HubDevice> ReportAsync(HubDevice client, int number) =>
        HubService.WaitAsync(async () =>
        {
            try
            {
                var reported = JsonNode.Parse($$"""{"b":{{number}} }""")!.AsObject();
                await client.Session!.UpdateReportedAsync(Encoding.UTF8.GetBytes(reported.ToJsonString()));
                return client;
            }
            catch (Exception error) when (error is HubException or NullReferenceException)
            {
                return null; // The connection is away.
            }
        });

    private async Task ConfigureAsync()
    {
        await DoAsync(
            HttpMethod.Put,
            $"/configurations/c{number}",
            JsonNode.Parse(
                $$"""
                {"id":"c{{number}}","targetCondition":"tags.round={{number}} AND deviceId='{{device}}'","priority":1,
                 "content":{"deviceContent":{"properties.desired.fromConfiguration":{{number}} } } }
                """
            ),
            200,
            409
        );
        await WaitAsync(
            $"/twins/{device}",
            twin => (string?)twin["configurations"]?[$"c{number}"]?["status"] == "Applied"
        );
    }

    private async Task RunJobsAsync(HubDevice client)
    {
        await DoAsync(
            HttpMethod.Put,
            $"/jobs/v2/t{number}",
            JsonNode.Parse(
                $$"""
                {"jobId":"t{{number}}","type":"scheduleUpdateTwin","queryCondition":"deviceId='{{device}}'",
                 "updateTwin":{"etag":"*","properties":{"desired":{"fromJob":{{number}} } } } }
                """
            ),
            200,
            409
        );
        await DoAsync(
            HttpMethod.Put,
            $"/jobs/v2/m{number}",
            JsonNode.Parse(
                $$"""
                {"jobId":"m{{number}}","type":"scheduleDeviceMethod","queryCondition":"deviceId='{{device}}'",
                 "cloudToDeviceMethod":{"methodName":"count","payload":{{number}},"responseTimeoutInSeconds":30,"connectTimeoutInSeconds":30} }
                """
            ),
            200,
            409
        );
        await WaitAsync($"/jobs/v2/t{number}", job => (string?)job["status"] == "completed");
        var called = await WaitAsync($"/jobs/v2/m{number}", job => (string?)job["status"] is "completed" or "failed");
        // A method that a kill found under way may have run, or not; never twice.
        calls = client.CallsWith($"{number}");
        if ((string?)called["status"] == "completed")
        {
            calls.ShouldBe(1);
        }
        else
        {
            calls.ShouldBeLessThanOrEqualTo(1);
            calls = 0;
        }
    }

    private async Task SendAsync(HubDevice client)
    {
        await MessageAsync(client, "first");
        // Its completion is on disk before a later message is acknowledged.
        await DoAsync(HttpMethod.Post, $"/devhub/devices/{device}/messages", JsonNode.Parse("\"second\""), 204);
        var before = client.MessagesLike("\"first\"");
        await hub.KillAsync();
        await HubService.WaitAsync(() => Task.FromResult(client.MessagesLike("\"second\"") > 0 ? client : null));
        await WaitAsync($"/devices/{device}", identity => (int?)identity["cloudToDeviceMessageCount"] == 0);
        client.MessagesLike("\"first\"").ShouldBe(before, "it was completed");
    }

    private async Task MessageAsync(HubDevice client, string text)
    {
        await DoAsync(HttpMethod.Post, $"/devhub/devices/{device}/messages", JsonNode.Parse($"\"{text}\""), 204);
        await HubService.WaitAsync(() => Task.FromResult(client.MessagesLike($"\"{text}\"") > 0 ? client : null));
        await WaitAsync($"/devices/{device}", identity => (int?)identity["cloudToDeviceMessageCount"] == 0);
    }

    private async Task UploadAsync()
    {
        var granted = await DoAsync(
            HttpMethod.Post,
            $"/devices/{device}/files",
            new JsonObject { ["blobName"] = "file" },
            200
        );
        var address = $"/{granted!["containerName"]}/{granted["blobName"]}{granted["sasToken"]}";
        await PutAsync($"{address}&comp=block&blockid=QQ%3D%3D", $"first {number}, ");
        await PutAsync($"{address}&comp=block&blockid=Qg%3D%3D", $"second {number}");
        await PutAsync(
            $"{address}&comp=blocklist",
            "<BlockList><Latest>QQ==</Latest><Latest>Qg==</Latest></BlockList>"
        );
        await DoAsync(
            HttpMethod.Post,
            $"/devices/{device}/files/notifications",
            new JsonObject { ["correlationId"] = (string?)granted["correlationId"], ["isSuccess"] = true },
            204,
            400
        );
    }

    private async Task LeaveCleanAsync()
    {
        var options = HubDevice.OptionsOf(hub, device, Key) with { CleanSession = true };
        await HubService.WaitAsync(async () =>
        {
            try
            {
                await using var last = await IoTHubSession.ConnectAsync(options);
                last.SessionPresent.ShouldBeFalse();
                return options;
            }
            catch (HubException)
            {
                return null; // The hub is away.
            }
        });
    }

    /// <param name="method">What.</param>
    /// <param name="path">To what.</param>
    /// <param name="body">With what.</param>
    /// <param name="done">The status when it is done.</param>
    /// <param name="doneBefore">The status when an earlier try, whose answer was lost, had done it; null = <paramref name="done"/>.</param>
    private async Task<JsonNode?> DoAsync(
        HttpMethod method,
        string path,
        JsonNode? body,
        int done,
        int? doneBefore = null
    )
    {
        var answer = await hub.AskAsync(
            async (service, again) =>
            {
                var (status, result) = await service.RequestAsync(method, path, body);
                if (status != done && !(again && status == doneBefore))
                {
                    throw new InvalidOperationException($"{method} {path}: {status} {result}");
                }
                return new Answer(result);
            }
        );
        return answer.Body;
    }

    private async Task PutAsync(string address, string text)
    {
        var answer = await hub.AskAsync(
            async (service, again) =>
            {
                var status = await service.PutTextAsync(address, text);
                // A list whose answer was lost has used up its blocks.
                return new Found(again && status == 400 ? 201 : status);
            }
        );
        answer.Status.ShouldBe(201);
    }

    private Task<JsonNode> GetAsync(string path) => WaitAsync(path, _ => true);

    private async Task<int> StatusAsync(string path) =>
        (
            await hub.AskAsync(
                async (service, _) => new Found((await service.RequestAsync(HttpMethod.Get, path)).Status)
            )
        ).Status;

    private Task<JsonNode> WaitAsync(string path, Func<JsonNode, bool> fits) =>
        hub.AskAsync(
            async (service, _) =>
                await service.RequestAsync(HttpMethod.Get, path) is (200, { } body) && fits(body) ? body : null!
        );

    private sealed record Answer(JsonNode? Body);

    private sealed record Found(int Status);
}
