using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Routing;

namespace EdgeDm.DevHub.Page;

/// <summary>A message took a route, or found none.</summary>
/// <param name="Time">When.</param>
/// <param name="Message">What.</param>
/// <param name="Route">Its route; null = it was dropped.</param>
/// <param name="LargestBody">Bytes of the body that are shown.</param>
internal sealed record PassingMessage(DateTimeOffset Time, HubMessage Message, Route? Route, int LargestBody)
    : IPageEvent
{
    public string Kind => "message";

    public JsonObject Document()
    {
        var document = new JsonObject
        {
            ["time"] = Time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
            ["from"] = Message.Source,
            ["to"] = Route?.Sink.ToString(),
            ["route"] = Route?.Name,
            ["size"] = Message.Body.Length,
            ["properties"] = Properties(),
        };
        if (Message.Body.Length > LargestBody)
        {
            // Cut, it is no JSON any more; a character may be cut, too.
            document["text"] = PageSecrets.Hide(Encoding.UTF8.GetString(Message.Body.Span[..LargestBody]));
            document["cut"] = true;
            return document;
        }
        var whole = Message.ToDocument();
        if (whole.ContainsKey("body"))
        {
            document["body"] = PageSecrets.Hide(whole["body"]?.DeepClone());
        }
        else
        {
            document["text"] = PageSecrets.Hide(Encoding.UTF8.GetString(Message.Body.Span));
        }
        return document;
    }

    private JsonObject Properties()
    {
        var all = new JsonObject();
        foreach (
            var (name, value) in Message.System.Concat(Message.Properties).OrderBy(p => p.Key, StringComparer.Ordinal)
        )
        {
            all[name] = PageSecrets.Hide(value);
        }
        return all;
    }
}
