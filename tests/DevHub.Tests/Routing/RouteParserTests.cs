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
    [InlineData("""FROM /a INTO BrokeredEndpoint(" modules/m/inputs/i ")""", "/a", "m/inputs/i")]
    [InlineData("""FROM /a INTO BrokeredEndpoint("/modules/\u006d/inputs/i")""", "/a", """\u006d/inputs/i""")] // no escapes here
    [InlineData("FROM /a/*/b INTO $upstream", "/a/*/b", "$upstream")]
    [InlineData("FROM /a /* a comment */ INTO $upstream", "/a", "$upstream")]
    [InlineData(
        "FROM /messages/modules/my-module_2.0/outputs/a*b INTO $upstream",
        "/messages/modules/my-module_2.0/outputs/a*b",
        "$upstream"
    )]
    public void Parse_Route_GivesSourceAndSink(string text, string source, string sink)
    {
        var route = RouteParser.Parse(text);
        route.Source.Pattern.ShouldBe(source);
        route.Condition.ShouldBeNull();
        route.Sink.ToString().ShouldBe(sink);
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
    [InlineData("FROM /e5 INTO $upstream", "'e5'")]
    [InlineData("FROM /a[0] INTO $upstream", "'a[0]'")]
    [InlineData("""FROM /a INTO BrokeredEndpoint("/modules/m")""", "/modules/<module>/inputs/<input>")]
    [InlineData("""FROM /a INTO BrokeredEndpoint("/modules/m/inputs/i/more")""", "/modules/<module>/inputs/<input>")]
    [InlineData("""FROM /a INTO BrokeredEndpoint("//modules/m/inputs/i")""", "/modules/<module>/inputs/<input>")]
    [InlineData("""FROM /a INTO BrokeredEndpoint("")""", "/modules/<module>/inputs/<input>")]
    [InlineData("""FROM /a INTO BrokeredEndpoint("/modules/m/inputs/i)""", "not closed")]
    [InlineData("""FROM /a INTO BrokeredEndpoint("/modules/\x/inputs/i")""", "escape")]
    [InlineData("""FROM /a INTO BrokeredEndpoint("/modules/m/inputs/a+b")""", "/modules/<module>/inputs/<input>")]
    [InlineData("""FROM /a INTO BrokeredEndpoint(x)""", "quoted")]
    [InlineData("""FROM /a INTO OtherEndpoint("/modules/m/inputs/i")""", "OtherEndpoint")]
    public void Parse_NoRoute_SaysWhatIsWrong(string text, string hint) =>
        Should.Throw<RouteSyntaxException>(() => RouteParser.Parse(text)).Message.ShouldContain(hint);

    [Theory]
    [InlineData("FROM /a WHERE  x = 'y'  INTO $upstream", "x = 'y'")]
    [InlineData("FROM /a WHERE x /* why */ = 'y' /* so */ INTO $upstream", "x /* why */ = 'y'")]
    public void Parse_Condition_KeepsItsText(string text, string condition) =>
        RouteParser.Parse(text).Condition.ShouldNotBeNull().Text.ShouldBe(condition);

    [Fact]
    public void Parse_LongText_IsRefusedBeyondTheLimit()
    {
        const string Start = "FROM /a INTO $upstream";
        var limit = RouteLimits.Default.LongestText;
        RouteParser.Parse(Start.PadRight(limit)).Source.Pattern.ShouldBe("/a");
        Should
            .Throw<RouteSyntaxException>(() => RouteParser.Parse(Start.PadRight(limit + 1)))
            .Message.ShouldStartWith($"The route has {limit + 1} characters; at most {limit} are allowed.");
        RouteParser.Parse(Start, new() { LongestText = Start.Length }).Source.Pattern.ShouldBe("/a");
        Should.Throw<RouteSyntaxException>(() => RouteParser.Parse(Start, new() { LongestText = Start.Length - 1 }));
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("NOT ", "")]
    [InlineData("not(", ")")]
    [InlineData("is_defined(", ")")]
    public void Parse_DeepCondition_IsRefusedBeyondTheLimit(string open, string close)
    {
        // The value within is a level, too; a call of NOT with parentheses makes two.
        var levels = open == "not(" ? 2 : 1;
        Parse((RouteLimits.Default.DeepestNesting - 1) / levels);
        foreach (var depth in new[] { RouteLimits.Default.DeepestNesting, 1000 })
        {
            Should
                .Throw<RouteSyntaxException>(() => Parse(depth))
                .Message.ShouldStartWith($"The condition is nested deeper than {RouteLimits.Default.DeepestNesting}");
        }

        void Parse(int depth) =>
            RouteParser.Parse(
                $"FROM /a WHERE {string.Concat(Enumerable.Repeat(open, depth))}true{string.Concat(Enumerable.Repeat(close, depth))} INTO $upstream",
                new() { LongestText = 100_000 }
            );
    }

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
