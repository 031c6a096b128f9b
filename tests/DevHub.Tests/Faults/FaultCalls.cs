using System.Net;
using System.Text.Json.Nodes;
using static EdgeDm.DevHub.Tests.Service.ServiceAnswers;

namespace EdgeDm.DevHub.Tests.Faults;

/// <summary>Turns faults on by REST, and asks about them.</summary>
internal static class FaultCalls
{
    public static async Task<JsonObject> AddAsync(TestHub hub, string fault)
    {
        var answer = await hub.Http.PostAsync("/devhub/faults", TestHub.Json(fault));
        answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
        var added = await ReadAsync(answer);
        (await StatusOfAsync(hub))["faults"]!.AsArray().Count.ShouldBe((await ListAsync(hub)).Count);
        return added;
    }

    public static async Task<JsonArray> ListAsync(TestHub hub) =>
        JsonNode.Parse(await hub.Http.GetStringAsync("/devhub/faults"))!.AsArray();

    public static async Task<JsonNode> StatusOfAsync(TestHub hub) =>
        JsonNode.Parse(await hub.Http.GetStringAsync("/devhub/status"))!;
}
