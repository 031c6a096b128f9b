using System.Reflection;
using System.Text;
using System.Text.Json;
using EdgeDm.Testing;

namespace EdgeDm.Contracts.Tests;

public sealed class ErrorRegistryTests
{
    [Fact]
    public void All_HoldsEveryFieldOnceWithItsOwnCodeAndName()
    {
        var fields = typeof(ErrorRegistry)
            .GetFields(BindingFlags.Public | BindingFlags.Static)
            .Where(f => f.FieldType == typeof(ErrorCode))
            .ToDictionary(f => f.Name, f => (ErrorCode)f.GetValue(null)!);

        ErrorRegistry.All.ShouldBe(fields.Values, ignoreOrder: true);
        ErrorRegistry.All.Select(e => e.Code).ShouldBeUnique();
        fields.ShouldAllBe(f => JsonNamingPolicy.CamelCase.ConvertName(f.Key) == f.Value.Name);
    }

    [Fact]
    public void Mends_AreSentences() =>
        ErrorRegistry.All.ShouldAllBe(e => char.IsUpper(e.Mend[0]) && e.Mend.EndsWith('.'));

    [Fact]
    public void Error_TellsWhatHappenedThenTheMend()
    {
        var error = ErrorRegistry.WrongSize.Error(
            Subsystems.FirmwareDownload,
            "f1",
            "The file has 7 bytes, not 8.",
            ("expected", "8")
        );

        error.Message.ShouldBe("The file has 7 bytes, not 8. " + ErrorRegistry.WrongSize.Mend);
        error.Parameters["expected"].ShouldBe("8");
        error.Name.ShouldBe("wrongSize");
    }

    [Theory]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(5000)]
    public void Error_LongText_IsCutAt1024Characters(int length)
    {
        var error = ErrorRegistry.Internal.Error(Subsystems.HostAccess, "x", new string('a', length));

        error.Message.Length.ShouldBe(1024);
    }

    [Fact]
    public void ErrorObject_AsJson_HasTheFiveMembersOfTheDeviceAgent()
    {
        var json = JsonSerializer.Serialize(
            ErrorRegistry.NoSpace.Error(Subsystems.FirmwareDownload, "store", "Full."),
            ContractsJson.Default.ErrorObject
        );

        using var document = JsonDocument.Parse(json);
        document
            .RootElement.EnumerateObject()
            .Select(p => p.Name)
            .ShouldBe(["subsystem", "context", "code", "message", "parameters"]);
    }

    [Fact]
    public void Documentation_ListsEveryErrorAsItIs()
    {
        var table = new StringBuilder("| code | name | what to do |\n|---|---|---|\n");
        foreach (var error in ErrorRegistry.All.OrderBy(e => e.Code))
        {
            table.Append($"| {error.Code} | `{error.Name}` | {error.Mend} |\n");
        }

        // The page is made from the registry: on a failure copy the expected table into it.
        File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "errors.md")).ShouldContain(table.ToString());
    }
}
