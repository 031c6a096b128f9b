using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeDm.ModuleHost.Tests;

public sealed class ReportedPropertiesTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("edgedm-reported-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private ReportedProperties Make() =>
        new(
            new()
            {
                ModuleId = "Module",
                DataFolder = folder,
                OptionsFactory = _ => throw new InvalidOperationException(),
            }
        );

    private static Dictionary<string, JsonNode?> Values(params (string Name, JsonNode? Value)[] values) =>
        values.ToDictionary(v => v.Name, v => v.Value);

    private static JsonArray Large(int bytes) =>
        [.. Enumerable.Range(0, bytes / 1_000).Select(_ => JsonValue.Create(new string('x', 997)))];

    private static string? Take(ReportedProperties reported)
    {
        var patch = reported.NextPatch();
        if (patch is not null)
        {
            reported.Accepted(patch);
        }
        return patch?.ToJsonString();
    }

    [Fact]
    public void NextPatch_HubNotYetKnown_IsNone()
    {
        var reported = Make();
        reported.Want(Values(("a", 1)));
        reported.NextPatch().ShouldBeNull();
        reported.Learn(JsonElement.Parse("""{"$version":1}"""));
        Take(reported).ShouldBe("""{"a":1}""");
        Take(reported).ShouldBeNull();
    }

    [Fact]
    public void Want_DiskTakesNothing_IsToldFromMemoryAndKeptOnceItDoes()
    {
        var reported = Make();
        Directory.Delete(folder, recursive: true);
        File.WriteAllText(folder, "in the way");

        reported.Want(Values(("a", 1)));
        reported.Learn(JsonElement.Parse("{}"));
        reported.NextPatch()!.ToJsonString().ShouldBe("""{"a":1}""");
        File.Delete(folder);
        Take(reported).ShouldBe("""{"a":1}""");

        var next = Make();
        next.Learn(JsonElement.Parse("{}"));
        Take(next).ShouldBe("""{"a":1}""");
    }

    [Fact]
    public void NextPatch_HubLostSomething_SendsItAgain()
    {
        var reported = Make();
        reported.Want(Values(("a", 1), ("b", 2)));
        reported.Learn(JsonElement.Parse("{}"));
        Take(reported).ShouldNotBeNull();
        reported.Forget();
        reported.NextPatch().ShouldBeNull();
        reported.Learn(JsonElement.Parse("""{"b":2}"""));
        Take(reported).ShouldBe("""{"a":1}""");
    }

    [Fact]
    public void NextPatch_WhatOthersReported_IsLeftAlone()
    {
        var reported = Make();
        reported.Want(Values(("a", 1)));
        reported.Learn(JsonElement.Parse("""{"a":1,"other":5}"""));
        reported.NextPatch().ShouldBeNull();
    }

    [Fact]
    public void Removal_OutlivesTheProcessUntilTheHubConfirms()
    {
        Make().Want(Values(("a", 1)));
        Make().Want(Values(("a", null)));
        var later = Make();
        later.Learn(JsonElement.Parse("""{"a":1}"""));
        Take(later).ShouldBe("""{"a":null}""");
        Take(later).ShouldBeNull();
        File.ReadAllText(Path.Combine(folder, "reported.json")).ShouldNotContain("\"a\"");
    }

    [Fact]
    public void Want_NoChange_WritesNothing()
    {
        var reported = Make();
        reported.Want(Values(("a", new JsonObject { ["x"] = 1 })));
        var path = Path.Combine(folder, "reported.json");
        File.Delete(path);
        reported.Want(Values(("a", new JsonObject { ["x"] = 1, ["none"] = null })));
        File.Exists(path).ShouldBeFalse();
    }

    [Fact]
    public void NextPatch_TooLargeForOne_KeepsReportsWhole()
    {
        var reported = Make();
        reported.Want(Values(("a", Large(15_000)), ("summary", 1)));
        reported.Want(Values(("b", Large(15_000)), ("c", Large(5_000))));
        reported.Learn(JsonElement.Parse("{}"));
        var first = reported.NextPatch()!;
        first.Select(p => p.Key).Order(StringComparer.Ordinal).ShouldBe(["a", "summary"]);
        reported.Accepted(first);
        reported.NextPatch()!.Select(p => p.Key).Order(StringComparer.Ordinal).ShouldBe(["b", "c"]);
    }

    [Fact]
    public void NextPatch_OneReportTooLarge_GoesPropertyByProperty()
    {
        var reported = Make();
        reported.Want(Values(("a", Large(20_000)), ("b", Large(20_000))));
        reported.Learn(JsonElement.Parse("{}"));
        var first = reported.NextPatch()!;
        first.Count.ShouldBe(1);
        reported.Accepted(first);
        var second = reported.NextPatch()!;
        second.Count.ShouldBe(1);
        reported.Accepted(second);
        reported.NextPatch().ShouldBeNull();
    }

    [Fact]
    public void NextPatch_ExactlyAtTheLimit_IsOnePatch()
    {
        // {"a":[...],"b":"..."}: the pad fills up to the limit.
        var array = Large(30_000);
        var rest =
            ReportLimits.MaxPatchBytes
            - new JsonObject { ["a"] = array.DeepClone(), ["b"] = "" }
                .ToJsonString()
                .Length;
        var reported = Make();
        reported.Want(Values(("a", array.DeepClone()), ("b", new string('y', rest))));
        reported.Learn(JsonElement.Parse("{}"));
        reported.NextPatch()!.Count.ShouldBe(2);
        reported.Want(Values(("b", new string('y', rest + 1))));
        reported.NextPatch()!.Count.ShouldBe(1);
    }

    [Fact]
    public void Refused_Several_AreTriedAloneAndTheBadOneWaitsForAChange()
    {
        var reported = Make();
        reported.Want(Values(("bad", 1), ("good", 2)));
        reported.Learn(JsonElement.Parse("{}"));
        reported.Refused(reported.NextPatch()!);
        for (var n = 0; n < 2; n++)
        {
            var alone = reported.NextPatch()!;
            alone.Count.ShouldBe(1);
            if (alone.ContainsKey("bad"))
            {
                reported.Refused(alone);
            }
            else
            {
                reported.Accepted(alone);
            }
        }
        reported.NextPatch().ShouldBeNull();
        reported.Want(Values(("bad", 3)));
        Take(reported).ShouldBe("""{"bad":3}""");
    }

    [Fact]
    public void Want_OneValueBreaksALimit_NothingIsTaken()
    {
        var reported = Make();
        Should.Throw<ArgumentException>(() => reported.Want(Values(("a", 1), ("b", new string('x', 4_097)))));
        reported.Learn(JsonElement.Parse("{}"));
        reported.NextPatch().ShouldBeNull();
    }
}

public sealed class ReportLimitsTests
{
    private static void Check(string json) => ReportLimits.Check("p", JsonElement.Parse(json));

    private static string Nested(int depth) =>
        string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth);

    [Fact]
    public void Depth_AtTheLimit_IsTakenAndOneMoreIsNot()
    {
        Check(Nested(10));
        Should.Throw<ArgumentException>(() => Check(Nested(11))).Message.ShouldContain("p.a.a");
    }

    [Fact]
    public void Text_AtTheLimit_IsTakenAndOneMoreIsNot()
    {
        Check($"\"{new string('x', 4_096)}\"");
        Should.Throw<ArgumentException>(() => Check($"\"{new string('x', 4_097)}\""));
        Should.Throw<ArgumentException>(() => Check($"\"{new string('ü', 2_049)}\""));
    }

    [Fact]
    public void Name_AtTheLimit_IsTakenAndOneMoreIsNot()
    {
        Check($$"""{"{{new string('n', 1_024)}}":1}""");
        Should.Throw<ArgumentException>(() => Check($$"""{"{{new string('n', 1_025)}}":1}"""));
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a.b")]
    [InlineData("$a")]
    [InlineData("a#")]
    [InlineData("")]
    [InlineData("a\\tb")]
    public void Name_WithWhatTheHubForbids_IsRefused(string name) =>
        Should.Throw<ArgumentException>(() => Check($$"""{"{{name}}":1}"""));

    [Theory]
    [InlineData("4503599627370495", true)]
    [InlineData("-4503599627370495", true)]
    [InlineData("4503599627370496", false)]
    [InlineData("1.5", true)]
    [InlineData("[1,null]", false)]
    [InlineData("[[{\"a\":null}]]", true)]
    [InlineData("{\"a\":null}", true)]
    public void Value_AsTheHubTakesIt(string json, bool taken)
    {
        if (taken)
        {
            Check(json);
        }
        else
        {
            Should.Throw<ArgumentException>(() => Check(json));
        }
    }
}

public sealed class MergePatchTests
{
    [Theory]
    [InlineData("""{"a":1}""", """{"a":1}""", "null")]
    [InlineData("""{"a":1}""", """{"a":1.0}""", "null")]
    [InlineData("""{"a":1}""", """{"a":2}""", """{"a":2}""")]
    [InlineData("""{"a":1}""", "{}", """{"a":null}""")]
    [InlineData("""{"a":1}""", """{"a":null}""", """{"a":null}""")]
    [InlineData("{}", """{"a":null}""", "null")]
    [InlineData("{}", """{"a":{"b":null,"c":[{"d":null}]}}""", """{"a":{"c":[{"d":null}]}}""")]
    [InlineData("""{"a":{"b":1,"c":2}}""", """{"a":{"b":1,"c":3,"d":4}}""", """{"a":{"c":3,"d":4}}""")]
    [InlineData("""{"a":[1,2]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [InlineData("""{"a":{"b":1}}""", """{"a":5}""", """{"a":5}""")]
    [InlineData("""{"a":5}""", """{"a":{"b":1}}""", """{"a":{"b":1}}""")]
    [InlineData("{}", """{"a":{}}""", """{"a":{}}""")]
    public void Diff_IsTheSmallestPatchAndApplyUndoesIt(string from, string to, string expected)
    {
        var before = JsonNode.Parse(from)!.AsObject();
        var after = JsonNode.Parse(to)!.AsObject();
        var patch = MergePatch.Diff(before, after);
        JsonNode.DeepEquals(patch, JsonNode.Parse(expected)).ShouldBeTrue(patch?.ToJsonString());
        MergePatch.Apply(before, patch ?? []);
        JsonNode.DeepEquals(before, MergePatch.WithoutNulls(after)).ShouldBeTrue(before.ToJsonString());
    }
}

public sealed class SeenMessagesTests
{
    [Fact]
    public void Add_OneOverTheCapacity_ForgetsTheOldestOnly()
    {
        var seen = new SeenMessages(2);
        seen.Add("a");
        seen.Add("b");
        seen.Add("a");
        seen.Contains("a").ShouldBeTrue();
        seen.Add("c");
        (seen.Contains("a"), seen.Contains("b"), seen.Contains("c")).ShouldBe((false, true, true));
    }
}
