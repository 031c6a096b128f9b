using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace EdgeDm.DevHub.Routing.Conditions;

/// <summary>The way to a value of the body: names with a <c>.</c> between, each with indexes in brackets behind it.</summary>
internal sealed class BodyPath
{
    private const int ShortestDate = 19;
    private const int LongestDate = 40;

    private static readonly SearchValues<char> NotInNames = SearchValues.Create("()<>@,;:\\\"/[]?={}.*");

    private readonly Step[] steps;

    private BodyPath(Step[] steps) => this.steps = steps;

    /// <summary>Reads a path.</summary>
    /// <param name="path">What follows <c>$body.</c>.</param>
    /// <param name="position">Of its first character in the route.</param>
    public static BodyPath Parse(string path, int position)
    {
        var found = new List<Step>();
        var offset = 0;
        foreach (var part in path.Split('.'))
        {
            var bracket = part.IndexOf('[', StringComparison.Ordinal);
            var name = bracket < 0 ? part : part[..bracket];
            CheckName(name, position + offset);
            found.Add(new(name, 0));
            if (bracket >= 0)
            {
                AddIndexes(part[bracket..], position + offset + bracket, found);
            }
            offset += part.Length + 1;
        }
        return new([.. found]);
    }

    /// <summary>The value; objects and lists have none, what is not there is <see cref="ConditionValue.Missing"/>.</summary>
    public ConditionValue Find(JsonElement body)
    {
        try
        {
            return Walk(body);
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, escaped: the parser lets it pass, but it is no text.
            return ConditionValue.Undefined;
        }
    }

    private ConditionValue Walk(JsonElement body)
    {
        foreach (var (name, index) in steps)
        {
            if (name is null)
            {
                if (body.ValueKind != JsonValueKind.Array || index >= body.GetArrayLength())
                {
                    return ConditionValue.Missing;
                }
                body = body[index];
            }
            else if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty(name, out body))
            {
                return ConditionValue.Missing;
            }
        }
        return body.ValueKind switch
        {
            JsonValueKind.True => ConditionValue.Of(true),
            JsonValueKind.False => ConditionValue.Of(false),
            JsonValueKind.Number => ConditionValue.Of(body.GetDouble()),
            JsonValueKind.String => OfText(body.GetString()!),
            JsonValueKind.Null => ConditionValue.Null,
            _ => ConditionValue.Undefined,
        };
    }

    // edgeHub's JSON reader makes dates of strings that look like one, and its conditions know no dates.
    private static ConditionValue OfText(string text) =>
        text.Length is >= ShortestDate and <= LongestDate
        && text[10] == 'T'
        && DateTime.TryParseExact(
            text,
            "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
            CultureInfo.InvariantCulture,
            DateTimeStyles.RoundtripKind,
            out _
        )
            ? ConditionValue.Undefined
            : ConditionValue.Of(text);

    private static void CheckName(string name, int position)
    {
        if (
            name.Length == 0
            || name.AsSpan().ContainsAny(NotInNames)
            || !name.AsSpan().ContainsAnyExceptInRange('0', '9')
        )
        {
            throw new RouteSyntaxException(
                $"Expected a name of the body at position {position}, found '{name}'. A path is $body.name.name[0].name; a name is no number and has no '*'."
            );
        }
    }

    private static void AddIndexes(string brackets, int position, List<Step> steps)
    {
        for (var start = 0; start < brackets.Length; )
        {
            var end = brackets.IndexOf(']', start);
            if (
                brackets[start] != '['
                || end < 0
                || !int.TryParse(
                    brackets.AsSpan((start + 1)..end),
                    NumberStyles.None,
                    CultureInfo.InvariantCulture,
                    out var index
                )
            )
            {
                throw new RouteSyntaxException(
                    $"Expected an index in brackets at position {position + start}, as in $body.list[0], found '{brackets[start..]}'."
                );
            }
            steps.Add(new(null, index));
            start = end + 1;
        }
    }

    private readonly record struct Step(string? Name, int Index);
}
