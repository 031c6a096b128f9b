namespace EdgeDm.Mqtt;

/// <summary>Topics and the filters over them (MQTT 3.1.1, 4.7).</summary>
public static class TopicFilter
{
    /// <summary>True for a topic that may be published to: not empty, no wildcard.</summary>
    public static bool IsValidTopic(string topic) => topic.Length > 0 && topic.AsSpan().IndexOfAny('+', '#') < 0;

    /// <summary>True when each <c>+</c> fills a level and <c>#</c> fills the last one.</summary>
    public static bool IsValid(string filter)
    {
        if (filter.Length == 0)
        {
            return false;
        }
        for (var index = 0; index < filter.Length; index++)
        {
            var opens = index == 0 || filter[index - 1] == '/';
            var closes = index == filter.Length - 1;
            var valid = filter[index] switch
            {
                '+' => opens && (closes || filter[index + 1] == '/'),
                '#' => opens && closes,
                _ => true,
            };
            if (!valid)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>
    /// True when a message on <paramref name="topic"/> is for a subscriber of <paramref name="filter"/>. A leading wildcard
    /// does not match topics that begin with <c>$</c>; <c>a/#</c> matches <c>a</c>.
    /// </summary>
    public static bool Matches(ReadOnlySpan<char> filter, ReadOnlySpan<char> topic)
    {
        if (topic is ['$', ..] && filter is ['+' or '#', ..])
        {
            return false;
        }
        while (true)
        {
            var filterLevel = Next(ref filter, out var filterEnds);
            if (filterLevel is "#")
            {
                return true;
            }
            var topicLevel = Next(ref topic, out var topicEnds);
            if (filterLevel is not "+" && !filterLevel.SequenceEqual(topicLevel))
            {
                return false;
            }
            if (topicEnds)
            {
                return filterEnds || filter is "#";
            }
            if (filterEnds)
            {
                return false;
            }
        }
    }

    private static ReadOnlySpan<char> Next(ref ReadOnlySpan<char> rest, out bool ends)
    {
        var slash = rest.IndexOf('/');
        ends = slash < 0;
        var level = ends ? rest : rest[..slash];
        rest = ends ? default : rest[(slash + 1)..];
        return level;
    }
}
