using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace EdgeDm.DevHub.Tests.Golden;

/// <summary>
/// A request as an SDK writes it, and what must come back. A file has many, each behind a line <c>### title</c>: the request, a line
/// <c>---</c>, and the answer. Of the answer every header that is written must be there; JSON must have the same members, where
/// <c>"&lt;any&gt;"</c> stands for any value, <c>"&lt;text&gt;"</c>, <c>"&lt;number&gt;"</c> and <c>"&lt;time&gt;"</c> for one of that kind, and
/// <c>"&lt;keep:name&gt;"</c> for a text that later requests have as <c>{name}</c>. A member <c>"..."</c> lets there be others.
/// </summary>
internal sealed partial record GoldenExchange(
    string Title,
    string Request,
    string Body,
    string Answer,
    string AnswerBody
)
{
    private const string Separator = "\n---\n";

    /// <summary>The exchanges of a file, in order.</summary>
    public static IReadOnlyList<GoldenExchange> Read(string path) =>
        [
            .. File.ReadAllText(path)
                .ReplaceLineEndings("\n")
                .Split("\n### ")
                .Skip(1)
                .Select(text =>
                {
                    var title = text[..text.IndexOf('\n', StringComparison.Ordinal)];
                    var parts = text[(title.Length + 1)..].Split(Separator);
                    var (request, body) = Head(parts[0]);
                    var (answer, answerBody) = Head(parts[1]);
                    return new GoldenExchange(title, request, body, answer, answerBody);
                }),
        ];

    /// <summary>Sends the request and checks the answer.</summary>
    /// <param name="stream">A connection of its own.</param>
    /// <param name="known">Names in requests, and what was kept.</param>
    public async Task RunAsync(Stream stream, Dictionary<string, string> known)
    {
        var body = Encoding.UTF8.GetBytes(Fill(Body, known));
        var head = Fill(Request, known) + (body.Length > 0 ? $"\nContent-Length: {body.Length}" : "");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head.Replace("\n", "\r\n") + "\r\n\r\n"));
        await stream.WriteAsync(body);
        await stream.FlushAsync();
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var (found, foundBody) = Head((await reader.ReadToEndAsync()).ReplaceLineEndings("\n"));
        var lines = Answer.Split('\n');
        var foundLines = found.Split('\n');
        foundLines[0].ShouldBe(lines[0], $"{Title}: {foundBody}");
        foreach (var header in lines[1..])
        {
            var (name, value) = Header(header);
            var headers = foundLines[1..].Select(Header).Where(h => h.Name == name).ToList();
            if (value == "<none>")
            {
                headers.ShouldBeEmpty($"{Title}: {name}");
            }
            else
            {
                headers.ShouldHaveSingleItem($"{Title}: {name}");
                Match(headers[0].Value, value, name, known);
            }
        }
        if (AnswerBody.Length == 0)
        {
            foundBody.ShouldBeEmpty(Title);
            return;
        }
        Match(JsonNode.Parse(foundBody), JsonNode.Parse(Fill(AnswerBody, known)), "$", known);
    }

    private void Match(JsonNode? found, JsonNode? wanted, string at, Dictionary<string, string> known)
    {
        switch (wanted)
        {
            case JsonObject members:
                var others = found.ShouldBeOfType<JsonObject>($"{Title}: {at}").Select(m => m.Key).ToHashSet();
                foreach (var (name, value) in members)
                {
                    if (name != "...")
                    {
                        others.Remove(name).ShouldBeTrue($"{Title}: {at}.{name} is missing in {found}");
                        Match(found![name], value, $"{at}.{name}", known);
                    }
                }
                if (!members.ContainsKey("..."))
                {
                    others.ShouldBeEmpty($"{Title}: {at}");
                }
                break;
            case JsonArray items:
                var all = found.ShouldBeOfType<JsonArray>($"{Title}: {at}");
                all.Count.ShouldBe(items.Count, $"{Title}: {at} is {all}");
                foreach (var (index, item) in items.Index())
                {
                    Match(all[index], item, $"{at}[{index}]", known);
                }
                break;
            case JsonValue value when value.TryGetValue(out string? text) && text.StartsWith('<'):
                Match(found, text, at, known);
                break;
            default:
                JsonNode.DeepEquals(found, wanted).ShouldBeTrue($"{Title}: {at} is {found} instead of {wanted}");
                break;
        }
    }

    private void Match(JsonNode? found, string kind, string at, Dictionary<string, string> known)
    {
        var text = found?.GetValueKind() == JsonValueKind.String ? found.GetValue<string>() : null;
        var fits = kind switch
        {
            "<any>" => true,
            "<number>" => found?.GetValueKind() == JsonValueKind.Number,
            "<time>" => text is not null && Time().IsMatch(text),
            _ => text is { Length: > 0 },
        };
        fits.ShouldBeTrue($"{Title}: {at} is {found} instead of {kind}");
        if (kind.StartsWith("<keep:", StringComparison.Ordinal))
        {
            known[kind["<keep:".Length..^1]] = text!;
        }
    }

    private void Match(string found, string wanted, string name, Dictionary<string, string> known)
    {
        if (wanted.StartsWith('<'))
        {
            Match(JsonValue.Create(found), wanted, name, known);
        }
        else
        {
            found.ShouldBe(Fill(wanted, known), $"{Title}: {name}");
        }
    }

    private static string Fill(string text, Dictionary<string, string> known) =>
        known.Aggregate(text, (filled, name) => filled.Replace($"{{{name.Key}}}", name.Value));

    private static (string Head, string Body) Head(string text)
    {
        var parts = text.Trim('\n').Split("\n\n", 2);
        return (parts[0], parts.Length > 1 ? parts[1].Trim() : "");
    }

    private static (string Name, string Value) Header(string line)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        return (line[..colon].ToLowerInvariant(), line[(colon + 1)..].Trim());
    }

    [GeneratedRegex(
        @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Time();
}
