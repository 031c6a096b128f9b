using System.Buffers;
using System.Text;
using EdgeDm.DevHub.Routing;
using EdgeDm.DevHub.Routing.Conditions;

namespace EdgeDm.DevHub.Tests.Routing;

public sealed class RouteConditionTests
{
    private const string Body = """{"a":1,"name":"x","on":true,"list":[1]}""";

    // Words of routes, and pieces that split or join them in odd ways.
    private static readonly string[] Pieces =
    [
        "level",
        "$messageId",
        "$body.a",
        "$body.list[0]",
        "$body.",
        "{",
        "}",
        "(",
        ")",
        ",",
        "[",
        "]",
        "\"",
        "'",
        "\\",
        "'x'",
        "\"x\"",
        "\\u00",
        "/*",
        "*/",
        "*",
        "/",
        "%",
        "+",
        "-",
        "||",
        "?",
        "??",
        "=",
        "!=",
        "<>",
        "<",
        "<=",
        ">",
        ">=",
        "AND",
        "or",
        "Not",
        "true",
        "false",
        "null",
        "undefined",
        "1",
        "-2.5e3",
        "0x1F",
        "e5",
        ".",
        "abs(",
        "substring(",
        "is_null(",
        "twin_change_includes(",
        "INTO",
        "FROM",
        "WHERE",
        "SELECT *",
        "$upstream",
        "BrokeredEndpoint(",
        "\n",
        "é",
        "\ud800",
        "\0",
        ";",
        "@",
    ];

    [Theory]
    [InlineData("level = '3'")]
    [InlineData("LEVEL = '3' and nobody <> 'x' or $MessageId = 'm-1'")]
    [InlineData("as_number(level) > 2 and starts_with($messageId, 'm') and not is_null(level)")]
    [InlineData("as_number(level) % 2 + 1 = 2 and length(level) = 1")]
    [InlineData("level = '4' and $body.a = 1")] // decided without the body
    public void Evaluate_Properties_AllocatesNothing(string condition)
    {
        var (compiled, message) = (Compile(condition), Message());
        // The first turns compile code and fill pools.
        for (var turn = 0; turn < 100; turn++)
        {
            compiled.Evaluate(message);
        }
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var turn = 0; turn < 1000; turn++)
        {
            compiled.Evaluate(message);
        }
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public void Choose_ManyBodyConditions_ReadTheBodyOnce()
    {
        Reads("FROM /messages WHERE $body.a = 1 INTO $upstream").ShouldBe(1);
        Reads(
                "FROM /messages WHERE $body.a = 2 INTO $upstream",
                "FROM /messages WHERE $body.on and $body.name = 'y' INTO BrokeredEndpoint('/modules/m/inputs/i')",
                "FROM /* WHERE $body.missing = null INTO BrokeredEndpoint('/modules/m/inputs/j')"
            )
            .ShouldBe(1);
    }

    [Fact]
    public void Choose_NobodyAsksForTheBody_LeavesItAlone() =>
        Reads(
                "FROM /* WHERE level = '3' or $body.a = 1 INTO $upstream",
                "FROM /* WHERE level = '4' and $body.a = 1 INTO BrokeredEndpoint('/modules/m/inputs/i')",
                "FROM /messages/modules/other WHERE $body.a = 1 INTO BrokeredEndpoint('/modules/m/inputs/j')",
                // Its end is reached already.
                "FROM /* WHERE $body.a = 1 INTO $upstream"
            )
            .ShouldBe(0);

    [Fact]
    public void Choose_ConditionsOfRoutesToOneEnd_BestOfThoseThatHold()
    {
        var routes = new[]
        {
            Route("low", "FROM /* WHERE level = '3' INTO $upstream", 5),
            Route("high", "FROM /* WHERE level = '4' INTO $upstream", 0),
            Route("middle", "FROM /* WHERE is_defined(level) INTO $upstream", 3),
        };
        MessageRouter.Choose(new([.. routes], null), Message()).Select(r => r.Name).ShouldBe(["middle"]);
    }

    [Theory]
    [InlineData("level = '3' or level = '4'", "level is '3'")]
    [InlineData("nobody = '3'", "nobody is undefined: there is no such property")]
    [InlineData("{$messageId} = '3'", "{$messageId} is 'm-1'")]
    [InlineData("$body.a = 1", "$body.a is 1")]
    [InlineData("$body.missing = 1", "$body.missing is null (missing)")]
    [InlineData("$body.list = 1", "$body.list is undefined: it is an object, a list, or a date with a time")]
    public void Explain_Names_SaysWhatTheyAre(string condition, string words) =>
        Words(condition, Message()).ShouldBe([words]);

    [Theory]
    [InlineData("text/plain", "utf-8", "{}", "the message's contentType is not application/json")]
    [InlineData("application/json", "us-ascii", "{}", "the message's contentEncoding is not utf-8, utf-16 or utf-32")]
    [InlineData("application/json", "utf-8", "[1]", "the message's body is no JSON object")]
    [InlineData("application/json", "utf-8", "{", "the message's body is no JSON object")]
    public void Explain_UnreadableBody_SaysWhy(string type, string encoding, string body, string reason)
    {
        var message = Message() with { Body = Encoding.UTF8.GetBytes(body) };
        message = message with
        {
            System = message
                .System.With(MessageProperties.ContentType, type)
                .With(MessageProperties.ContentEncoding, encoding),
        };
        Words("$body.a = 1", message).ShouldBe([$"$body.a is undefined: {reason}"]);
    }

    [Fact]
    public void Evaluate_LongestChain_HasRoomOnTheStack()
    {
        var longest = RouteLimits.Default.LongestText;
        var room = longest - "FROM /messages WHERE 1 = 1 INTO $upstream".Length;
        var condition = string.Concat(Enumerable.Repeat("1 + ", room / 4)) + $"1 = {(room / 4) + 1}";
        condition = condition.Length > room ? condition[8..] : condition;
        // On the smallest stack that a thread of the pool may have.
        bool? result = null;
        var thread = new Thread(() => result = Compile(condition).Evaluate(Message()), 256 * 1024);
        thread.Start();
        thread.Join(TestHub.Patience).ShouldBeTrue();
        result.ShouldNotBeNull();
    }

    [Fact]
    public void Parse_AnyText_GivesARouteOrSaysWhatIsWrong()
    {
        var random = new Random(1);
        var (routes, message) = (0, Message());
        for (var turn = 0; turn < 30_000; turn++)
        {
            var text = new StringBuilder("FROM /messages WHERE ");
            for (var left = random.Next(1, 12); left > 0; left--)
            {
                text.Append(Pieces[random.Next(Pieces.Length)]).Append(random.Next(4) == 0 ? "" : " ");
            }
            text.Append(" INTO $upstream");
            if (random.Next(4) == 0)
            {
                text.Remove(random.Next(text.Length), 1);
            }
            try
            {
                RouteParser.Parse(text.ToString()).Condition?.Evaluate(message);
                routes++;
            }
            catch (RouteSyntaxException error)
            {
                error.Message.ShouldContain("at position", Case.Sensitive, text.ToString());
            }
        }
        routes.ShouldBeGreaterThan(300, "some must be good, or the test shows little");
    }

    private static IEnumerable<string> Words(string condition, HubMessage message) =>
        Compile(condition).Explain(message).Select(e => $"{e.Name} is {e.Value}");

    private static Route Route(string name, string text, uint priority)
    {
        var route = RouteParser.Parse(text);
        return new(name, route.Source, route.Condition, route.Sink, priority, null);
    }

    private static RouteCondition Compile(string condition) =>
        RouteParser.Parse($"FROM /messages WHERE {condition} INTO $upstream").Condition!;

    private static int Reads(params string[] routes)
    {
        // UTF-16 is decoded into a document of its own, so that the body is read as often as it is parsed.
        using var body = new CountedMemory(Encoding.Unicode.GetBytes(Body));
        var message = Message() with { Body = body.Memory };
        message = message with { System = message.System.With(MessageProperties.ContentEncoding, "utf-16") };
        body.Reads = 0;
        MessageRouter.Choose(new([.. routes.Index().Select(r => Route($"r{r.Index}", r.Item, 0))], null), message);
        return body.Reads;
    }

    private static HubMessage Message() =>
        new(
            "/messages/modules/sensor",
            MessageBag
                .Empty.With(MessageProperties.MessageId, "m-1")
                .With(MessageProperties.ContentType, "application/json")
                .With(MessageProperties.ContentEncoding, "utf-8"),
            MessageBag.Empty.With("level", "3").With("other", "y"),
            Encoding.UTF8.GetBytes(Body)
        );

    private sealed class CountedMemory(byte[] bytes) : MemoryManager<byte>
    {
        public int Reads { get; set; }

        public override Span<byte> GetSpan()
        {
            Reads++;
            return bytes;
        }

        public override MemoryHandle Pin(int elementIndex = 0) => throw new NotSupportedException();

        public override void Unpin() => throw new NotSupportedException();

        protected override void Dispose(bool disposing) { }
    }
}
