using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Twins;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.DevHub.Tests.Twins;

public sealed class TwinStoreTests : IDisposable
{
    private static readonly HubIdentity Module = new("gateway", "m");

    private readonly TemporaryFolder folder = new();
    private readonly TwinStore twins;

    public TwinStoreTests() => twins = new(folder.Path, NullLogger.Instance, TimeProvider.System);

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("{}", "{}", "{}")]
    [InlineData("""{"a":1}""", """{"a":1}""", "{}")]
    [InlineData("""{"a":1}""", "{}", """{"a":null}""")]
    [InlineData("{}", """{"a":{"b":1}}""", """{"a":{"b":1}}""")]
    [InlineData("""{"a":{"b":1,"c":2}}""", """{"a":{"c":2,"d":3}}""", """{"a":{"b":null,"d":3}}""")]
    [InlineData("""{"a":{"b":1}}""", """{"a":[1]}""", """{"a":[1]}""")]
    [InlineData("""{"a":[1,2]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [InlineData("""{"a":1}""", """{"a":1.0}""", "{}")]
    public void Between_TwoDocuments_LeadsFromOneToTheOther(string earlier, string later, string patch)
    {
        var between = MergePatch.Between(Parse(earlier), Parse(later));
        JsonNode.DeepEquals(between, Parse(patch)).ShouldBeTrue(between.ToJsonString());
        JsonNode.DeepEquals(MergePatch.Apply(Parse(earlier), between), Parse(later)).ShouldBeTrue();
    }

    [Fact]
    public void Apply_NullsInsideANewObject_BecomeNoValues() =>
        MergePatch
            .Apply([], Parse("""{"a":{"b":null,"c":{"d":null}}}"""))
            .ToJsonString()
            .ShouldBe("""{"a":{"c":{}}}""");

    [Fact]
    public void Write_StaleEtag_IsRefused()
    {
        var first = twins.Write(Module, new(null, Parse("""{"a":1}""")));
        var second = twins.Write(Module, new(null, Parse("""{"a":2}"""), IfMatch: first.ETag));
        second.ETag.ShouldNotBe(first.ETag);
        Should
            .Throw<HubException>(() => twins.Write(Module, new(null, Parse("""{"a":3}"""), IfMatch: first.ETag)))
            .Error.ShouldBe(HubError.PreconditionFailed);
        twins.Write(Module, new(null, Parse("""{"a":3}"""), IfMatch: "*")).Desired.Version.ShouldBe(4);
    }

    [Fact]
    public void Report_DoesNotChangeTheEtag()
    {
        var before = twins.Write(Module, new(null, Parse("""{"a":1}""")));
        var after = twins.Report(Module, Parse("""{"b":1}"""));
        after.ETag.ShouldBe(before.ETag);
        after.Version.ShouldBe(before.Version + 1);
    }

    [Fact]
    public void Write_TagsOnly_LeavesDesiredAndTellsNobody()
    {
        var told = new Recorder();
        twins.Observe(told);
        var twin = twins.Write(Module, new(Parse("""{"t":1}"""), null));
        twin.Desired.Version.ShouldBe(1);
        told.Versions.ShouldBeEmpty();
        twins.Write(Module, new(null, Parse("""{"a":1}""")));
        told.Versions.ShouldBe([2]);
    }

    [Fact]
    public void Load_IdsThatFileNamesCannotHold_AreKept()
    {
        HubIdentity[] ids = [new("gateway", "$edgeHub"), new("gateway", "a:b"), new("gateway", "a?b"), new("gateway")];
        foreach (var (index, id) in ids.Index())
        {
            twins.Report(id, new() { ["n"] = index });
        }
        var again = new TwinStore(folder.Path, NullLogger.Instance, TimeProvider.System);
        foreach (var (index, id) in ids.Index())
        {
            again.Get(id).Reported.Properties.GetProperty("n").GetInt32().ShouldBe(index);
        }
    }

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

    private sealed class Recorder : ITwinObserver
    {
        public List<long> Versions { get; } = [];

        public void OnDesiredChanged(Twin twin, JsonObject changed) => Versions.Add(twin.Desired.Version);
    }
}
