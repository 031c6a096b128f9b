using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Twins;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeDm.DevHub.Tests.Twins;

// Every limit of a twin: its last good value and its first bad one.
public sealed class TwinLimitsTests : IDisposable
{
    private static readonly HubIdentity Module = new("gateway", "m");

    private readonly TemporaryFolder folder = new();
    private readonly TwinStore twins;

    public TwinLimitsTests() => twins = new(folder.Path, NullLogger.Instance, TimeProvider.System);

    public void Dispose() => folder.Dispose();

    public static TheoryData<string> Accepted =>
        [
            "{}",
            Nested(10),
            $$"""{"{{new string('k', 1024)}}":1}""",
            $$"""{"a":"{{new string('s', 4096)}}"}""",
            """{"a":4503599627370495,"b":-4503599627370496,"c":1e300,"d":0.5,"e":true}""",
            """{"a":[1,"x",[{"b":2}]],"gone":null}""",
            Text(32 * 1024),
        ];

    public static TheoryData<string> Refused =>
        [
            Nested(11),
            """{"a":[[[[[[[[[[[1]]]]]]]]]]]}""",
            $$"""{"{{new string('k', 1025)}}":1}""",
            $$"""{"{{new string('ü', 513)}}":1}""",
            """{"a.b":1}""",
            """{"$version":1}""",
            """{"a b":1}""",
            """{"a#":1}""",
            """{"a\u0001":1}""",
            """{"x":{"a.b":1}}""",
            $$"""{"a":"{{new string('s', 4097)}}"}""",
            """{"a":4503599627370496}""",
            """{"a":-4503599627370497}""",
            """{"a":99999999999999999999}""",
            """{"a":[1,null]}""",
            """{"a":[{"b":[null]}]}""",
            Text((32 * 1024) + 1),
        ];

    [Theory]
    [MemberData(nameof(Accepted))]
    public void Report_AtTheLimit_IsTaken(string patch) =>
        twins.Report(Module, Parse(patch)).Reported.Version.ShouldBe(2);

    [Theory]
    [MemberData(nameof(Refused))]
    public void Report_BeyondALimit_IsRefusedAndChangesNothing(string patch)
    {
        Should.Throw<HubException>(() => twins.Report(Module, Parse(patch))).Error.ShouldBe(HubError.ArgumentInvalid);
        twins.Get(Module).Reported.Version.ShouldBe(1);
    }

    [Fact]
    public void Report_DocumentGrowsTooLarge_IsRefused()
    {
        // 16 strings of 2,046 bytes with names of 2: exactly 32 KB.
        for (var index = 0; index < 16; index++)
        {
            twins.Report(Module, new() { [$"{index:x2}"] = new string('s', 2046) });
        }
        Should.Throw<HubException>(() => twins.Report(Module, new() { ["b"] = "" })).Message.ShouldContain("32768");
        twins.Report(Module, new() { ["00"] = null, ["b"] = "" }).Reported.Version.ShouldBe(18);
    }

    [Fact]
    public void Write_TagsTooLarge_IsRefused()
    {
        var tags = new JsonObject { ["a"] = new string('s', 4095), ["b"] = new string('s', 4095) };
        twins.Write(Module, new(tags, null));
        Should.Throw<HubException>(() => twins.Write(Module, new(new() { ["c"] = "" }, null)));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("{\"a\":1,\"a\":2}")]
    [InlineData("{")]
    [InlineData("")]
    public void Parse_NoObject_Throws(string json) => Should.Throw<JsonException>(() => Parse(json));

    private static JsonObject Parse(string json) => TwinLimits.Parse(Encoding.UTF8.GetBytes(json));

    private static string Nested(int objects) =>
        string.Concat(Enumerable.Repeat("{\"a\":", objects)) + "{}" + new string('}', objects);

    // A patch of so many bytes of JSON text, made of strings within their own limit.
    private static string Text(int bytes)
    {
        var text = new StringBuilder("{");
        for (var index = 0; index < 8; index++)
        {
            text.Append($"\"k{index}\":\"{new string('s', 4000)}\",");
        }
        const string Last = "\"z\":\"";
        text.Append(Last);
        text.Append('s', bytes - text.Length - 2);
        return text.Append("\"}").ToString();
    }
}
