using System.Globalization;

namespace EdgeDm.Mqtt.IoTHub;

/// <summary>A topic of IoT Hub or edgeHub taken apart, in either direction.</summary>
public readonly record struct HubTopic(HubTopicKind Kind)
{
    private static readonly HubTopic NoTopic = new(HubTopicKind.Unknown);

    /// <summary>Telemetry, input, device-bound.</summary>
    public string DeviceId { get; init; } = "";

    /// <summary>Telemetry and input; null for a device.</summary>
    public string? ModuleId { get; init; }

    /// <summary>The input's or the method's name.</summary>
    public string Name { get; init; } = "";

    /// <summary>The property bag, still encoded.</summary>
    public string Properties { get; init; } = "";

    /// <summary>Of an answer to a twin request or a method.</summary>
    public int Status { get; init; }

    /// <summary><c>$rid</c>, opaque; empty when absent.</summary>
    public string RequestId { get; init; } = "";

    /// <summary><c>$version</c>; null when absent.</summary>
    public long? Version { get; init; }

    /// <summary>Takes a topic apart. What is no topic of a hub has the kind <see cref="HubTopicKind.Unknown"/>.</summary>
    public static HubTopic Parse(string topic) =>
        topic.StartsWith("devices/", StringComparison.Ordinal) ? ParseDevice(topic)
        : topic.StartsWith("$iothub/", StringComparison.Ordinal) ? ParseService(topic)
        : NoTopic;

    private static HubTopic ParseDevice(string topic)
    {
        // devices/{d}[/modules/{m}]/messages/events[/bag], .../inputs/{input}[/bag], .../messages/devicebound[/bag]
        var parts = topic.Split('/');
        var module = parts.Length > 4 && parts[2] == "modules" ? parts[3] : null;
        var at = module is null ? 2 : 4;
        if (parts.Length < at + 2 || parts[1].Length == 0 || module is "" || parts[at + 1].Length == 0)
        {
            return NoTopic;
        }
        var kind = (parts[at], parts[at + 1]) switch
        {
            ("messages", "events") => HubTopicKind.Telemetry,
            ("messages", "devicebound") when module is null => HubTopicKind.DeviceBound,
            ("inputs", _) when module is not null => HubTopicKind.Input,
            _ => HubTopicKind.Unknown,
        };
        return kind == HubTopicKind.Unknown
            ? NoTopic
            : new(kind)
            {
                DeviceId = parts[1],
                ModuleId = module,
                Name = kind == HubTopicKind.Input ? parts[at + 1] : "",
                // A bag has no slash of its own: it would be encoded. One at its end is the Node SDK's.
                Properties = parts.Length > at + 2 ? parts[at + 2] : "",
            };
    }

    private static HubTopic ParseService(string topic)
    {
        var mark = topic.IndexOf("/?", StringComparison.Ordinal);
        var path = (mark < 0 ? topic.TrimEnd('/') : topic[..mark]).Split('/');
        var (requestId, version) = ParseQuery(mark < 0 ? "" : topic[(mark + 2)..]);
        var parsed = path switch
        {
            [_, "twin", "GET"] => new HubTopic(HubTopicKind.TwinGet),
            [_, "twin", "PATCH", "properties", "reported"] => new HubTopic(HubTopicKind.ReportedPatch),
            [_, "twin", "PATCH", "properties", "desired"] => new HubTopic(HubTopicKind.DesiredPatch),
            [_, "twin", "res", var status] => Answer(HubTopicKind.TwinResponse, status),
            [_, "methods", "res", var status] => Answer(HubTopicKind.MethodResponse, status),
            [_, "methods", "POST", { Length: > 0 } name] => new HubTopic(HubTopicKind.MethodRequest) { Name = name },
            _ => NoTopic,
        };
        return parsed.Kind == HubTopicKind.Unknown ? NoTopic : parsed with { RequestId = requestId, Version = version };
    }

    private static HubTopic Answer(HubTopicKind kind, string status) =>
        int.TryParse(status, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var code)
            ? new HubTopic(kind) { Status = code }
            : NoTopic;

    private static (string RequestId, long? Version) ParseQuery(string query)
    {
        var requestId = "";
        long? version = null;
        foreach (var range in query.AsSpan().Split('&'))
        {
            var part = query.AsSpan()[range];
            if (part.StartsWith("$rid="))
            {
                requestId = part[5..].ToString();
            }
            else if (
                part.StartsWith("$version=")
                && long.TryParse(part[9..], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            )
            {
                version = number;
            }
        }
        return (requestId, version);
    }
}

/// <summary>What a topic is for. Who sends it is in parentheses.</summary>
public enum HubTopicKind
{
    Unknown,

    /// <summary>Telemetry, or a module's output (client).</summary>
    Telemetry,

    /// <summary>A message to a module's input (hub).</summary>
    Input,

    /// <summary>A message from the cloud to a device (hub).</summary>
    DeviceBound,

    /// <summary>Asks for the twin (client).</summary>
    TwinGet,

    /// <summary>Changes reported properties (client).</summary>
    ReportedPatch,

    /// <summary>Desired properties have changed (hub).</summary>
    DesiredPatch,

    /// <summary>Answers a twin request (hub).</summary>
    TwinResponse,

    /// <summary>Calls a direct method (hub).</summary>
    MethodRequest,

    /// <summary>Answers a direct method (client).</summary>
    MethodResponse,
}
