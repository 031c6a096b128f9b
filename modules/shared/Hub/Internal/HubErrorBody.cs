using System.Text;
using System.Text.Json;

namespace EdgeDm.Hub.Internal;

/// <summary>
/// What a hub says about an error. edgeHub: <c>{"message":..}</c> or a JSON string; IoT Hub: <c>{"Message":..,"ExceptionMessage":"Tracking
/// ID:..-TimeStamp:.."}</c> or <c>{"errorCode":..,"trackingId":..,"message":..}</c>. Anything else is taken for text.
/// </summary>
internal readonly record struct HubErrorBody(string Message, string? TrackingId)
{
    /// <summary>Most characters of a message that are kept.</summary>
    public const int MaxMessageLength = 512;

    /// <summary>Most characters of a tracking id.</summary>
    public const int MaxTrackingIdLength = 128;

    private const string InText = "Tracking ID:";

    public static HubErrorBody Read(ReadOnlySpan<byte> body)
    {
        var text = "";
        string? tracking = null;
        try
        {
            var json = JsonElement.Parse(body);
            if (json.ValueKind == JsonValueKind.Object)
            {
                text = string.Join(' ', Texts(json, "message", "exceptionMessage"));
                tracking = Texts(json, "trackingId").FirstOrDefault();
            }
            else if (json.ValueKind == JsonValueKind.String)
            {
                text = json.GetString()!;
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            text = Encoding.UTF8.GetString(body[..Math.Min(body.Length, MaxMessageLength)]);
        }
        return new(Clean(text), CleanId(tracking ?? After(text)));
    }

    public HubServiceException ToException(int status) =>
        new(
            status,
            Message.Length > 0 ? $"The hub answered {status}: {Message}" : $"The hub answered {status}.",
            TrackingId
        );

    /// <summary>Strings under these names, whose first letter is small at edgeHub and large at IoT Hub.</summary>
    private static IEnumerable<string> Texts(JsonElement json, params string[] names) =>
        from name in names
        from property in json.EnumerateObject()
        where property.Value.ValueKind == JsonValueKind.String
        where property.Name.Equals(name, StringComparison.OrdinalIgnoreCase)
        select property.Value.GetString()!;

    private static string? After(string text)
    {
        var start = text.IndexOf(InText, StringComparison.OrdinalIgnoreCase);
        if (start < 0)
        {
            return null;
        }
        var id = text[(start + InText.Length)..].TrimStart();
        var end = id.IndexOf("-TimeStamp", StringComparison.OrdinalIgnoreCase);
        return end < 0 ? id : id[..end];
    }

    private static string? CleanId(string? id)
    {
        var clean = new string([.. (id ?? "").TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c is '-' or ':' or '.')]);
        return clean.Length is > 0 and <= MaxTrackingIdLength ? clean : null;
    }

    /// <summary>One line, bounded, without a token: a hub may quote what it was sent.</summary>
    private static string Clean(string text)
    {
        if (
            text.Contains("SharedAccessSignature", StringComparison.OrdinalIgnoreCase)
            || text.Contains("sig=", StringComparison.OrdinalIgnoreCase)
        )
        {
            return "(withheld: it quotes a token)";
        }
        var bounded = text.Length > MaxMessageLength ? text[..MaxMessageLength] : text;
        return string.Concat(bounded.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
    }
}
