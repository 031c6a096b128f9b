using System.Text;
using System.Text.Json;
using EdgeDm.DevHub.Routing;

namespace EdgeDm.DevHub.Tests.Routing;

/// <summary>Runs the rows of <c>RouteConditions.golden.txt</c>, which says how it is written.</summary>
public sealed class RouteGoldenTests
{
    private const string Arrow = " => ";
    private const string Error = "error: ";
    private const int FewestRows = 150;

    private static readonly Dictionary<string, HubMessage> Messages = new(StringComparer.Ordinal);
    private static readonly List<TheoryDataRow<int, string, string, string>> AllRows = Read();

    public static IEnumerable<TheoryDataRow<int, string, string, string>> Rows => AllRows;

    [Theory]
    [MemberData(nameof(Rows))]
    public void Route_GoldenRow_HasItsResult(int line, string message, string text, string expected)
    {
        var whole =
            text.StartsWith("FORM ", StringComparison.Ordinal)
            || text.Contains("FROM", StringComparison.OrdinalIgnoreCase);
        var because = $"line {line}: {text}";
        string result;
        try
        {
            var route = RouteParser.Parse(whole ? text : $"FROM /messages WHERE {text} INTO $upstream");
            result = whole ? Take(route, Messages[message]) : Evaluate(route, Messages[message]);
        }
        catch (RouteSyntaxException error)
        {
            result = Error + error.Message;
        }
        if (expected.StartsWith(Error, StringComparison.Ordinal))
        {
            result.ShouldStartWith(Error, customMessage: because);
            result.ShouldContain(expected[Error.Length..], Case.Sensitive, because);
        }
        else
        {
            result.ShouldBe(expected, because);
        }
    }

    [Fact]
    public void Golden_File_HasEnoughRowsAndNoneTwice()
    {
        AllRows.Count.ShouldBeGreaterThanOrEqualTo(FewestRows);
        AllRows.GroupBy(r => (r.Data.Item2, r.Data.Item3)).Where(g => g.Count() > 1).Select(g => g.Key).ShouldBeEmpty();
    }

    private static string Evaluate(ParsedRoute route, HubMessage message) =>
        route.Condition!.Evaluate(message) switch
        {
            true => "true",
            false => "false",
            null => "undefined",
        };

    private static string Take(ParsedRoute route, HubMessage message)
    {
        var set = new RouteSet([new("r", route.Source, route.Condition, route.Sink, 0, null)], null);
        return MessageRouter.Choose(set, message).Length == 1 ? "taken" : "not taken";
    }

    private static List<TheoryDataRow<int, string, string, string>> Read()
    {
        var rows = new List<TheoryDataRow<int, string, string, string>>();
        var current = "";
        foreach (
            var (index, line) in File.ReadLines(
                    Path.Combine(AppContext.BaseDirectory, "Routing", "RouteConditions.golden.txt")
                )
                .Index()
        )
        {
            if (line.Length == 0 || line[0] == '#')
            {
                continue;
            }
            if (line.StartsWith("message ", StringComparison.Ordinal))
            {
                var parts = line.Split(' ', 3);
                Messages.Add(parts[1], ReadMessage(JsonElement.Parse(parts[2])));
            }
            else if (line.StartsWith("with ", StringComparison.Ordinal))
            {
                current = line[5..];
                Messages.ShouldContainKey(current);
            }
            else
            {
                var arrow = line.LastIndexOf(Arrow, StringComparison.Ordinal);
                arrow.ShouldBeGreaterThan(0, $"line {index + 1} has no result");
                rows.Add(new(index + 1, current, line[..arrow], line[(arrow + Arrow.Length)..]));
            }
        }
        return rows;
    }

    private static HubMessage ReadMessage(JsonElement message)
    {
        var system = Strings(message.GetProperty("system"));
        var encoding = system[MessageProperties.ContentEncoding]?.ToUpperInvariant() switch
        {
            "UTF-16" => Encoding.Unicode,
            "UTF-32" => Encoding.UTF32,
            _ => Encoding.UTF8,
        };
        var body = message.TryGetProperty("body", out var json)
            ? json.GetRawText()
            : message.GetProperty("text").GetString()!;
        return new(
            message.GetProperty("source").GetString()!,
            system,
            Strings(message.GetProperty("properties")),
            encoding.GetBytes(body)
        );
    }

    private static MessageBag Strings(JsonElement properties) =>
        MessageBag.Of(properties.EnumerateObject().Select(p => KeyValuePair.Create(p.Name, p.Value.GetString()!)));
}
