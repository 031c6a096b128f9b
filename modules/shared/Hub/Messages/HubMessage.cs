using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.Hub;

/// <summary>A message at one of the module's inputs.</summary>
public sealed class HubMessage
{
    private readonly string bagText;
    private readonly Func<bool> acknowledge;
    private PropertyBag? bag;
    private int acknowledged;

    internal HubMessage(
        string inputName,
        string bagText,
        ReadOnlyMemory<byte> payload,
        bool isDuplicate,
        Func<bool> acknowledge
    )
    {
        InputName = inputName;
        Payload = payload;
        IsDuplicate = isDuplicate;
        this.bagText = bagText;
        this.acknowledge = acknowledge;
    }

    /// <summary>The input's name.</summary>
    public string InputName { get; }

    /// <summary>The body; this message's own copy.</summary>
    public ReadOnlyMemory<byte> Payload { get; }

    /// <summary>MQTT's flag. edgeHub's repeats come without it: tell them by <see cref="MessageId"/>.</summary>
    public bool IsDuplicate { get; }

    /// <summary>A property by its name on the wire, system properties with their <c>$.</c>; null when absent.</summary>
    public string? this[string property] => (bag ??= PropertyBag.Decode(bagText))[property];

    /// <summary>All properties, in order.</summary>
    public IEnumerable<KeyValuePair<string, string>> Properties => bag ??= PropertyBag.Decode(bagText);

    /// <summary><c>$.mid</c>; null when absent.</summary>
    public string? MessageId => this[SystemProperties.MessageId];

    /// <summary><c>$.cid</c>; null when absent.</summary>
    public string? CorrelationId => this[SystemProperties.CorrelationId];

    /// <summary><c>$.ct</c>; null when absent.</summary>
    public string? ContentType => this[SystemProperties.ContentType];

    /// <summary><c>$.ce</c>; null when absent.</summary>
    public string? ContentEncoding => this[SystemProperties.ContentEncoding];

    /// <summary>The sender's device, stamped by the hub; null when absent.</summary>
    public string? ConnectionDeviceId => this[SystemProperties.ConnectionDeviceId];

    /// <summary>The sender's module, stamped by the hub; null when absent.</summary>
    public string? ConnectionModuleId => this[SystemProperties.ConnectionModuleId];

    internal bool IsAcknowledged => Volatile.Read(ref acknowledged) != 0;

    /// <summary>
    /// Tells the hub that the message is done; the loop does it by asking for the next one. edgeHub sends it again unless this
    /// happens within 30 s. Acknowledgements leave in the order in which the messages came. False when the connection is gone: the message will come again.
    /// </summary>
    public ValueTask<bool> AckAsync() => ValueTask.FromResult(Acknowledge());

    internal bool Acknowledge() => Interlocked.Exchange(ref acknowledged, 1) != 0 || acknowledge();
}
