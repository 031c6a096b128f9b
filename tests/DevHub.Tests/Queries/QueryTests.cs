using System.Text.Json.Nodes;
using EdgeDm.DevHub.Queries;

namespace EdgeDm.DevHub.Tests.Queries;

// The language: what matches, what is told, what is wrong.
public sealed class QueryTests
{
    private static readonly string[] Documents =
    [
        """{"deviceId":"a","status":"enabled","tags":{"plant":"x","n":1,"two words":1,"in":true},"properties":{"reported":{"v":1.5,"list":[1],"o":{}}}}""",
        """{"deviceId":"b","status":"disabled","tags":{"plant":"y","n":2,"nul":null},"properties":{"reported":{"v":2}}}""",
        """{"deviceId":"c","status":"enabled","tags":{"plant":"x","n":10},"properties":{"reported":{}}}""",
        """{"deviceId":"d","status":"enabled","tags":{},"properties":{"reported":{"v":"text"}}}""",
    ];

    [Theory]
    [InlineData("deviceId = 'a'", "a")]
    [InlineData("devices.deviceId = \"a\"", "a")]
    [InlineData("tags.n = 2", "b")]
    [InlineData("tags.n = 0x0A", "c")]
    [InlineData("tags.n != 2", "ac")] // d has no tags.n: not known, so no match
    [InlineData("tags.n <> 2", "ac")]
    [InlineData("NOT tags.n = 2", "ac")]
    [InlineData("tags.n < 2", "a")]
    [InlineData("tags.n <= 2", "ab")]
    [InlineData("tags.n > 2", "c")]
    [InlineData("tags.n >= 2", "bc")]
    [InlineData("tags.n = '2'", "")]
    [InlineData("tags.n > 'a'", "")] // no order between kinds
    [InlineData("tags.n != 'a'", "abc")]
    [InlineData("tags.plant > 'w' and tags.plant < 'y'", "ac")]
    [InlineData("tags.plant='x' OR tags.plant='y' AND tags.n=3", "ac")] // AND binds closer
    [InlineData("(tags.plant='x' OR tags.plant='y') AND tags.n=2", "b")]
    [InlineData("NOT tags.plant='x' AND tags.n=2", "b")] // NOT binds closest
    [InlineData("tags.n IN [1, 10]", "ac")]
    [InlineData("tags.n NIN [1, 10]", "b")]
    [InlineData("tags.n not in [1, 10]", "b")]
    [InlineData("tags.n IN []", "")]
    [InlineData("is_defined(tags.n)", "abc")]
    [InlineData("IS_DEFINED(tags.nul)", "b")]
    [InlineData("NOT is_defined(tags.n)", "d")]
    [InlineData("is_null(tags.nul)", "b")]
    [InlineData("tags.nul = null", "b")]
    [InlineData("tags.missing = null", "")]
    [InlineData("tags.missing = undefined", "")]
    [InlineData("is_bool(tags.in)", "a")]
    [InlineData("tags.in = true", "a")]
    [InlineData("tags.in", "a")]
    [InlineData("is_number(properties.reported.v)", "ab")]
    [InlineData("is_string(properties.reported.v)", "d")]
    [InlineData("is_array(properties.reported.list)", "a")]
    [InlineData("is_object(properties.reported.o)", "a")]
    [InlineData("is_primitive(properties.reported.v)", "abd")]
    [InlineData("startswith(status, 'dis')", "b")]
    [InlineData("STARTS_WITH(status, 'en')", "acd")]
    [InlineData("endswith(status, 'abled')", "abcd")]
    [InlineData("ends_with(status, 'sabled')", "b")]
    [InlineData("contains(status, 'sab')", "b")]
    [InlineData("startswith(tags.n, '1')", "")]
    [InlineData("upper(tags.plant) = 'X'", "ac")]
    [InlineData("lower('ABC') = 'abc' AND length(status) = 8", "b")]
    [InlineData("concat(deviceId, '!') = 'a!'", "a")]
    [InlineData("deviceId || '!' = 'a!'", "a")]
    [InlineData("abs(0 - tags.n) = 1", "a")]
    [InlineData("ceiling(properties.reported.v) = 2", "ab")]
    [InlineData("floor(properties.reported.v) = 1", "a")]
    [InlineData("sqrt(tags.n * 2) = 2", "b")]
    [InlineData("tags.n + 1 = 2", "a")]
    [InlineData("tags.n * 2 - 1 = 3", "b")]
    [InlineData("tags.n % 2 = 0 AND tags.n / 2 = 5", "c")]
    [InlineData("tags.n / 0 = 1", "")]
    [InlineData("-tags.n = -2", "b")]
    [InlineData("tags.n = 1e1", "c")]
    [InlineData("tags.[[two words]] = 1", "a")]
    [InlineData("properties.reported.v.deeper = 1", "")]
    [InlineData("deviceId = 'a\\u0062' OR deviceId = '\\'' OR deviceId = 'd'", "d")]
    public void Where_Row_Matches(string condition, string devices) =>
        string.Concat(Run($"SELECT deviceId FROM devices WHERE {condition}").Select(row => row["deviceId"]))
            .ShouldBe(devices);

    [Theory]
    [InlineData("SELECT deviceId, tags.plant FROM devices WHERE tags.n = 1", """{"deviceId":"a","plant":"x"}""")]
    [InlineData("select tags.plant as p, tags from devices where deviceId='d'", """{"tags":{}}""")]
    [InlineData("SELECT tags.n + 1, 'k' AS [[a b]] FROM devices WHERE tags.n = 1", """{"$1":2,"a b":"k"}""")]
    [InlineData("SELECT COUNT() FROM devices", """{"$1":4}""")]
    [InlineData("SELECT count(*) AS all, COUNT(tags.n) AS some FROM devices", """{"all":4,"some":3}""")]
    [InlineData("SELECT COUNT() AS c FROM devices WHERE tags.n = 99", """{"c":0}""")]
    [InlineData(
        "SELECT SUM(tags.n) AS s, AVG(tags.n) AS a, MIN(tags.n) AS low, MAX(tags.n) AS high FROM devices WHERE tags.n < 5",
        """{"s":3,"a":1.5,"low":1,"high":2}"""
    )]
    [InlineData("SELECT MIN(tags.plant) AS p FROM devices", """{"p":"x"}""")]
    [InlineData("SELECT AVG(tags.none) AS a FROM devices", "{}")]
    [InlineData(
        "SELECT tags.plant AS plant, COUNT() AS n FROM devices GROUP BY tags.plant",
        """{"n":1} {"plant":"x","n":2} {"plant":"y","n":1}"""
    )]
    [InlineData(
        "SELECT status, tags.plant, COUNT() AS n FROM devices WHERE is_defined(tags.n) GROUP BY devices.status, devices.tags.plant",
        """{"status":"disabled","plant":"y","n":1} {"status":"enabled","plant":"x","n":2}"""
    )]
    [InlineData("SELECT TOP 2 deviceId FROM devices", """{"deviceId":"a"} {"deviceId":"b"}""")]
    public void Select_Row_TellsWhatIsAsked(string query, string rows) =>
        string.Join(' ', Run(query).Select(row => row.ToJsonString())).ShouldBe(rows);

    [Fact]
    public void Select_Star_IsTheWholeDocument() =>
        Run("SELECT * FROM devices WHERE deviceId='b'").Single().ToJsonString().ShouldBe(Documents[1]);

    [Theory]
    [InlineData("", 1, "SELECT")]
    [InlineData("SELECT FROM devices", 8, "a property")]
    [InlineData("SELECT * devices", 10, "FROM")]
    [InlineData("SELECT * FROM nowhere", 15, "devices.modules")]
    [InlineData("SELECT * FROM devices WHERE", 28, "the end")]
    [InlineData("SELECT * FROM devices WHERE a =", 32, "a value")]
    [InlineData("SELECT * FROM devices WHERE a = 'x", 33, "not closed")]
    [InlineData("SELECT * FROM devices WHERE a = 'x' b", 37, "'b'")]
    [InlineData("SELECT * FROM devices WHERE a ! 1", 31, "'!'")]
    [InlineData("SELECT * FROM devices WHERE (a = 1", 35, "')'")]
    [InlineData("SELECT * FROM devices WHERE a IN 1", 34, "'['")]
    [InlineData("SELECT * FROM devices WHERE a IN [1", 36, "']'")]
    [InlineData("SELECT * FROM devices WHERE nofunction(a)", 29, "is_defined")]
    [InlineData("SELECT * FROM devices WHERE count() > 1", 29, "SELECT")]
    [InlineData("SELECT * FROM devices WHERE lower(a, b) = 1", 29, "takes 1")]
    [InlineData("SELECT * FROM devices WHERE a.[[b = 1", 31, "']]'")]
    [InlineData("SELECT * FROM devices WHERE a = 1x", 33, "no number")]
    [InlineData("SELECT * FROM devices WHERE a = 0xZZ", 33, "no number")]
    [InlineData("SELECT * FROM devices WHERE a = '\\q'", 34, "followed by")]
    [InlineData("SELECT TOP 0 * FROM devices", 12, "whole number")]
    [InlineData("SELECT TOP 1.5 * FROM devices", 12, "whole number")]
    [InlineData("SELECT * FROM devices GROUP BY status", 10, "GROUP BY")]
    [InlineData("SELECT deviceId, COUNT() FROM devices", 26, "'deviceId' differs")]
    [InlineData("SELECT SUM() FROM devices", 8, "takes one value")]
    [InlineData("SELECT a, b AS a FROM devices", 11, "two values")]
    public void Parse_WrongQuery_SaysWhereAndWhat(string query, int character, string what)
    {
        var error = Should.Throw<QueryException>(() => QueryParser.Parse(query));
        error.Message.ShouldStartWith($"The query is wrong at character {character}: ");
        error.Message.ShouldContain(what);
        // Node's client cuts a message at the first one.
        error.Message.ShouldNotContain(";");
    }

    [Theory]
    [InlineData("*", "abcd")]
    [InlineData("tags.plant = 'x'", "ac")]
    [InlineData("FROM devices WHERE tags.plant = 'x'", "ac")]
    [InlineData("from devices", "abcd")]
    public void Condition_InAnyForm_IsRead(string condition, string devices)
    {
        var query = QueryParser.ParseCondition(condition);
        query.Source.ShouldBe(QuerySource.Devices);
        string.Concat(QueryRunner.Matching(query, Rows()).Select(row => row.Key).Order()).ShouldBe(devices);
    }

    [Fact]
    public void Condition_Wrong_SaysWhereInTheCondition() =>
        Should
            .Throw<QueryException>(() => QueryParser.ParseCondition("tags.plant = = 'x'"))
            .Position.ShouldBe("tags.plant = ".Length);

    [Theory]
    [InlineData(32, true)]
    [InlineData(33, false)]
    public void Parse_Depth_IsLimited(int depth, bool taken)
    {
        foreach (var (open, close) in new[] { ("(", ")"), ("NOT ", ""), ("lower(", ")"), ("- ", "") })
        {
            var query =
                $"SELECT * FROM devices WHERE {string.Concat(Enumerable.Repeat(open, depth))}a{string.Concat(Enumerable.Repeat(close, depth))}";
            if (taken)
            {
                QueryParser.Parse(query);
            }
            else
            {
                Should.Throw<QueryException>(() => QueryParser.Parse(query)).Message.ShouldContain("deeper than 32");
            }
        }
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void Parse_Length_IsLimited(int more, bool taken)
    {
        var query = "SELECT * FROM devices".PadRight(QueryLimits.Default.LongestQuery + more);
        if (taken)
        {
            QueryParser.Parse(query);
        }
        else
        {
            Should.Throw<QueryException>(() => QueryParser.Parse(query)).Message.ShouldContain("8192 characters");
        }
    }

    [Fact]
    public void Run_PageByPage_IsTheSameAsAtOnce()
    {
        foreach (
            var text in new[] { "SELECT TOP 3 deviceId FROM devices", "SELECT status FROM devices GROUP BY status" }
        )
        {
            var query = QueryParser.Parse(text);
            var all = QueryRunner.Run(query, Rows(), null, 100);
            all.Next.ShouldBeNull();
            var told = new List<string>();
            QueryMark? mark = null;
            do
            {
                var page = QueryRunner.Run(query, Rows(), mark, 1);
                told.Add(page.Rows.ShouldHaveSingleItem().ToJsonString());
                mark = page.Next is { } next ? QueryContinuation.Read(text, QueryContinuation.Write(text, next)) : null;
                mark.ShouldBe(page.Next);
            } while (mark is not null);
            told.ShouldBe(all.Rows.Select(row => row.ToJsonString()));
        }
    }

    private static IReadOnlyList<JsonObject> Run(string query) =>
        QueryRunner.Run(QueryParser.Parse(query), Rows(), null, 100).Rows;

    private static IEnumerable<QueryRow> Rows() =>
        Documents
            .Reverse()
            .Select(d => JsonNode.Parse(d)!.AsObject())
            .Select(d => new QueryRow((string)d["deviceId"]!, d));
}
