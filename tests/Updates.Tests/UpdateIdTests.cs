namespace EdgeDm.Updates.Tests;

public sealed class UpdateIdTests
{
    [Fact]
    public void ToJson_ThenParse_IsTheSame()
    {
        var id = UpdateId.Create("Contoso", "Gateway-A_1", "1.2.3");
        id.ToJson().ShouldBe("""{"provider":"Contoso","name":"Gateway-A_1","version":"1.2.3"}""");
        UpdateId.Parse(id.ToJson()).ShouldBe(id);
    }

    [Theory]
    [InlineData("""{"provider":"a/b","name":"n","version":"1.0"}""", "updateId.provider")]
    [InlineData("""{"provider":"p","name":"","version":"1.0"}""", "updateId.name")]
    [InlineData("""{"provider":"p","name":"n","version":"1.x"}""", "updateId.version")]
    [InlineData("""{"provider":"p","name":"n"}""", "updateId.version")]
    [InlineData("""{"provider":"p","provider":"q","name":"n","version":"1.0"}""", "updateId")]
    [InlineData("""["p"]""", "updateId")]
    public void Parse_WrongId_NamesThePart(string json, string context)
    {
        var error = Samples.Refused(() => UpdateId.Parse(json));
        error.Code.ShouldBe(4000);
        error.Context.ShouldBe(context);
    }

    [Theory]
    [InlineData(UpdateId.MaxPartLength, true)]
    [InlineData(UpdateId.MaxPartLength + 1, false)]
    public void Create_PartAtItsLongest_Edge(int length, bool accepted)
    {
        var create = () => UpdateId.Create(new string('p', length), "n", "1.0");
        if (accepted)
        {
            create().Provider.Length.ShouldBe(length);
        }
        else
        {
            Samples.Refused(() => create()).Context.ShouldBe("updateId.provider");
        }
    }
}
