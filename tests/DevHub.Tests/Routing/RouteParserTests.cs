using EdgeDm.DevHub.Routing;

namespace EdgeDm.DevHub.Tests.Routing;

public sealed class RouteParserTests
{
    [Theory]
    [InlineData("FROM /messages/* INTO $upstream", "/messages/*", "$upstream")]
    [InlineData("from /messages/* into $UPSTREAM", "/messages/*", "$upstream")]
    [InlineData("SELECT * FROM /* INTO $upstream", "/*", "$upstream")]
    [InlineData(" FROM\t/ messages / x\nINTO\r\n$upstream ", "/messages/x", "$upstream")]
    [InlineData("""FROM /a INTO BrokeredEndpoint("/modules/m/inputs/i")""", "/a", "m/inputs/i")]
    [InlineData("""FROM /a INTO brokeredendpoint ( '/modules/m/inputs/i' )""", "/a", "m/inputs/i")]
    [InlineData("""FROM /a INTO BrokeredEndpoint("/MODULES/M-1.x/Inputs/I_2/")""", "/a", "M-1.x/inputs/I_2")]
    [InlineData("""FROM /a INTO BrokeredEndpoint("modules/\u006d/inputs/i")""", "/a", "m/inputs/i")]
    [InlineData("FROM /a/*/b INTO $upstream", "/a/*/b", "$upstream")]
    [InlineData("FROM /a /* a comment */ INTO $upstream", "/a", "$upstream")]
    [InlineData(
        "FROM /messages/modules/my-module_2.0/outputs/a*b INTO $upstream",
        "/messages/modules/my-module_2.0/outputs/a*b",
        "$upstream"
    )]
    public void Parse_Route_GivesSourceAndSink(string text, string source, string sink)
    {
        var (from, into) = RouteParser.Parse(text);
        from.Pattern.ShouldBe(source);
        into.ToString().ShouldBe(sink);
    }

    [Theory]
    [InlineData("", "FROM at position 1")]
    [InlineData("FROM INTO $upstream", "'/'")]
    [InlineData("FROM messages INTO $upstream", "'/'")]
    [InlineData("FROM / INTO $upstream", "a name")]
    [InlineData("FROM /a", "INTO")]
    [InlineData("FROM /a INTO", "the end of the route")]
    [InlineData("FROM /a INTO upstream", "upstream")]
    [InlineData("FROM /a INTO $downstream", "$downstream")]
    [InlineData("FROM /a INTO $upstream x", "'x'")]
    [InlineData("FROM /123 INTO $upstream", "'123'")] // a number, to edgeHub's lexer
    [InlineData("FROM /0x1F INTO $upstream", "'0x1F'")]
    [InlineData("FROM /$edgeHub INTO $upstream", "'$edgeHub'")]
    [InlineData("FROM /not INTO $upstream", "'not'")]
    [InlineData("FROM /into INTO $upstream", "'into'")]
    [InlineData("FROM /a[0] INTO $upstream", "'['")]
    [InlineData("""FROM /a INTO BrokeredEndpoint("/modules/m")""", "/modules/<module>/inputs/<input>")]
    [InlineData("""FROM /a INTO BrokeredEndpoint("/modules/m/inputs/i/more")""", "/modules/<module>/inputs/<input>")]
    [InlineData("""FROM /a INTO BrokeredEndpoint("/modules/m/inputs/i)""", "not closed")]
    [InlineData("""FROM /a INTO BrokeredEndpoint("/modules/\x/inputs/i")""", "escape")]
    [InlineData("""FROM /a INTO BrokeredEndpoint("/modules/m/inputs/a+b")""", "/modules/<module>/inputs/<input>")]
    [InlineData("""FROM /a INTO BrokeredEndpoint(x)""", "quoted")]
    [InlineData("""FROM /a INTO OtherEndpoint("/modules/m/inputs/i")""", "OtherEndpoint")]
    public void Parse_NoRoute_SaysWhatIsWrong(string text, string hint) =>
        Should.Throw<RouteSyntaxException>(() => RouteParser.Parse(text)).Message.ShouldContain(hint);

    [Fact]
    public void Parse_Condition_IsRefusedAndNotIgnored() =>
        Should
            .Throw<RouteSyntaxException>(() => RouteParser.Parse("FROM /* WHERE a = 'b' INTO $upstream"))
            .Message.ShouldContain("WHERE");

    [Fact]
    public void Parse_StarSlashLaterInTheRoute_SwallowsWhatIsBetween()
    {
        // edgeHub's trap: the comment opens in the source and closes in the sink.
        var text = """FROM /messages/* INTO BrokeredEndpoint("/modules/*/inputs/i")""";
        Should
            .Throw<RouteSyntaxException>(() => RouteParser.Parse(text))
            .Message.ShouldBe("Expected INTO at position 52, found 'inputs'.");
    }

    [Theory]
    [InlineData("/*", "/messages", true)]
    [InlineData("/*", "/twinChangeNotifications", true)]
    [InlineData("/messages/*", "/messages", true)]
    [InlineData("/messages/*", "/messages/modules/m", true)]
    [InlineData("/messages", "/messages/modules/m/outputs/o", true)]
    [InlineData("/messages/*", "/twinChangeNotifications", false)]
    [InlineData("/messages/modules/*", "/messages", false)]
    [InlineData("/messages/modules/m/*", "/messages/modules/m/outputs/o", true)]
    [InlineData("/messages/modules/m/*", "/messages/modules/m", true)]
    [InlineData("/messages/modules/m", "/messages/modules/m2", false)]
    [InlineData("/MESSAGES/Modules/M/outputs/O", "/messages/modules/m/outputs/o", true)]
    [InlineData("/messages/modules/m/outputs/o", "/messages/modules/m/outputs/other", false)]
    [InlineData("/messages/modules/*/outputs/o", "/messages/modules/m/outputs/o", false)]
    [InlineData("/messages/modules/m/outputs/*", "/messages/modules/m", false)]
    [InlineData("/messages/modules/m/outputs/**/", "/messages/modules/m/outputs/o", true)]
    public void Matches_IsAPrefixWhateverTheCase(string pattern, string source, bool matches) =>
        new RouteSource(pattern).Matches(source).ShouldBe(matches);
}
