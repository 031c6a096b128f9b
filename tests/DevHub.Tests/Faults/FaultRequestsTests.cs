using static EdgeDm.DevHub.Tests.Faults.FaultCalls;
using static EdgeDm.DevHub.Tests.Service.ServiceAnswers;

namespace EdgeDm.DevHub.Tests.Faults;

// What may be asked for, and by whom.
public sealed class FaultRequestsTests
{
    [Theory]
    [InlineData("""{"kind":"break"}""", "cut, slow or drop")]
    [InlineData("""{"kind":"cut","latencyMilliseconds":1}""", "'latencyMilliseconds' means nothing to cut")]
    [InlineData("""{"kind":"cut","milliseconds":0}""", "'milliseconds' must be 1 to 86400000")]
    [InlineData("""{"kind":"cut","milliseconds":86400001}""", "'milliseconds' must be 1 to 86400000")]
    [InlineData("""{"kind":"slow"}""", "'latencyMilliseconds' or 'bytesPerSecond'")]
    [InlineData("""{"kind":"slow","latencyMilliseconds":-1}""", "must be 0 to 60000")]
    [InlineData("""{"kind":"slow","latencyMilliseconds":60001}""", "must be 0 to 60000")]
    [InlineData("""{"kind":"slow","bytesPerSecond":99}""", "must be 100 or more")]
    [InlineData("""{"kind":"drop","what":"all","next":1}""", "client-acks")]
    [InlineData("""{"kind":"drop","what":"acks"}""", "Either 'next' or 'share'")]
    [InlineData("""{"kind":"drop","what":"acks","next":1,"share":1}""", "Either 'next' or 'share'")]
    [InlineData("""{"kind":"drop","what":"acks","next":0}""", "'next' must be 1 to 1000000")]
    [InlineData("""{"kind":"drop","what":"acks","next":1000001}""", "'next' must be 1 to 1000000")]
    [InlineData("""{"kind":"drop","what":"acks","share":0}""", "'share' must be")]
    [InlineData("""{"kind":"drop","what":"acks","share":1.01}""", "'share' must be")]
    [InlineData("""{"kind":"drop","what":"acks","next":1,"seed":1}""", "'seed' goes with 'share'")]
    public async Task Add_Wrong_IsRefusedAndSaysWhy(string fault, string why)
    {
        await using var hub = await TestHub.StartAsync();

        var answer = await hub.Http.PostAsync("/devhub/faults", TestHub.Json(fault));

        ((string)(await ReadAsync(answer))["Message"]!).ShouldContain(why);
        await ShouldFailAsync(answer, 400, "ArgumentInvalid");
    }

    [Theory]
    [InlineData("""{"kind":"cut","milliseconds":86400000}""")]
    [InlineData("""{"kind":"slow","latencyMilliseconds":60000,"bytesPerSecond":100}""")]
    [InlineData("""{"kind":"drop","what":"method-calls","next":1000000}""")]
    [InlineData("""{"kind":"drop","what":"messages","share":1,"seed":-5}""")]
    public async Task Add_AtTheEdge_IsTaken(string fault)
    {
        await using var hub = await TestHub.StartAsync();
        await AddAsync(hub, fault);
    }

    [Fact]
    public async Task Add_OneTooMany_IsRefused()
    {
        await using var hub = await TestHub.StartAsync(o => o with { Faults = new(MostFaults: 2) });
        const string Cut = """{"kind":"cut"}""";
        await AddAsync(hub, Cut);
        var second = await AddAsync(hub, Cut);

        await ShouldFailAsync(await hub.Http.PostAsync("/devhub/faults", TestHub.Json(Cut)), 400, "ArgumentInvalid");
        await hub.Http.DeleteAsync($"/devhub/faults/{second["id"]}");
        await AddAsync(hub, Cut);
    }

    [Fact]
    public async Task Add_UnknownModule_NotFound()
    {
        await using var hub = await TestHub.StartAsync();
        await ShouldFailAsync(
            await hub.Http.PostAsync("/devhub/faults", TestHub.Json("""{"kind":"cut","modules":["x"]}""")),
            404,
            "ModuleNotFound"
        );
    }

    [Fact]
    public async Task Faults_WithoutTheServicesToken_AreRefused()
    {
        await using var hub = await TestHub.StartAsync();
        using var http = hub.MakeHttp(hub.Token(hub.Module("m")));
        await ShouldFailAsync(await http.GetAsync("/devhub/faults"), 401, "IotHubUnauthorizedAccess");
        await ShouldFailAsync(
            await http.PostAsync("/devhub/faults", TestHub.Json("""{"kind":"cut"}""")),
            401,
            "IotHubUnauthorizedAccess"
        );
        await ShouldFailAsync(await http.DeleteAsync("/devhub/faults"), 401, "IotHubUnauthorizedAccess");
    }
}
