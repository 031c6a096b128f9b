namespace EdgeDm.Cli.Tests;

public sealed class TwinTests : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private FakeHub hub = null!;

    public async ValueTask InitializeAsync() => hub = await FakeHub.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await hub.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Show_Twin_IsIndentedWithoutMetadata()
    {
        hub.On($"GET {FakeHub.Twin}", 200, Documents.Twin("""{"a":{"b":"ö+"},"$metadata":{},"$version":2}"""));
        (await hub.RunAsync("twin", "show"))
            .ShouldExitWith(0)
            .Output.ReplaceLineEndings("\n")
            .ShouldBe(
                """
                {
                  "desired": {
                    "a": {
                      "b": "ö+"
                    },
                    "$version": 2
                  },
                  "reported": {}
                }

                """
            );
        (await hub.RunAsync("twin", "show", "--metadata")).Output.ShouldContain("$metadata");
    }

    [Fact]
    public async Task Show_Path_IsThatPart()
    {
        hub.On($"GET {FakeHub.Twin}", 200, Documents.Twin("""{"a":{"b":[1,null]},"c":null}"""));
        (await hub.RunAsync("twin", "show", "desired.a.b")).ShouldExitWith(0).Json.ToJsonString().ShouldBe("[1,null]");
        (await hub.RunAsync("twin", "show", "desired.c")).ShouldExitWith(0).Output.Trim().ShouldBe("null");
        (await hub.RunAsync("twin", "show", "desired.a.x")).ShouldExitWith(1).Error.ShouldContain("no 'desired.a.x'");
    }

    [Fact]
    public async Task Set_Values_MergesTypedValues()
    {
        hub.On($"PATCH {FakeHub.Twin}", 200, Documents.Twin("""{"$version":7}"""));
        var file = folder.Write("patch.json", """{"a":{"kept":1,"changed":1}}""");
        var result = await hub.RunAsync(
            "twin",
            "set",
            "a.changed=true",
            "a.text=plain words",
            "b.c={\"d\":1.5}",
            "gone=null",
            "--file",
            file
        );

        result.ShouldExitWith(0).Output.ShouldContain("version 7");
        var request = hub.Requests.Single();
        request.IfMatch.ShouldBe("\"*\"");
        request
            .Json.ToJsonString()
            .ShouldBe(
                """{"properties":{"desired":{"a":{"kept":1,"changed":true,"text":"plain words"},"b":{"c":{"d":1.5}},"gone":null}}}"""
            );
    }

    [Theory]
    [InlineData("Nothing to set")]
    [InlineData("is not path=value", "novalue")]
    [InlineData("is not path=value", "a..b=1")]
    [InlineData("is not path=value", "=1")]
    public async Task Set_WrongValues_IsWrongUsage(string words, params string[] values)
    {
        (await hub.RunAsync(["twin", "set", .. values])).ShouldExitWith(2).Error.ShouldContain(words);
        hub.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Set_StandardInput_IsMerged()
    {
        hub.On($"PATCH {FakeHub.Twin}", 200, Documents.Twin("""{"$version":8}"""));
        var result = await EdgeDmProcess.RunAsync(
            hub.Environment,
            """{"x":1}""",
            "twin",
            "set",
            "--file",
            "-",
            "--json"
        );
        result.ShouldExitWith(0).Json["desiredVersion"]!.GetValue<int>().ShouldBe(8);
        hub.Requests.Single().Body.ShouldContain("""{"x":1}""");
    }
}
