using System.Buffers;
using System.Globalization;
using System.Text;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.Hub;

/// <summary>A message at one of the module's inputs, or from the cloud to the device.</summary>
public sealed class HubMessage
{
    private const int BagLengthMask = 0xFFFF;
    private const int Duplicate = 0x1_0000;
    private const int WantsNoAck = 0x2_0000;
    private const int Acknowledged = 0x4_0000;

    private readonly IoTHubSession session;
    private readonly uint place;

    /// <summary>The encoded properties, then the body: one copy.</summary>
    private readonly byte[] content;
    private PropertyBag? bag;
    private int state;

    /// <param name="session">That it came to.</param>
    /// <param name="inputName">See <see cref="InputName"/>.</param>
    /// <param name="bag">Encoded, at most 65,535 bytes.</param>
    /// <param name="payload">The body.</param>
    /// <param name="isDuplicate">MQTT's flag.</param>
    /// <param name="place">In the queue of acknowledgements; null with QoS 0.</param>
    internal HubMessage(
        IoTHubSession session,
        string inputName,
        ReadOnlySpan<byte> bag,
        in ReadOnlySequence<byte> payload,
        bool isDuplicate,
        uint? place
    )
    {
        this.session = session;
        this.place = place ?? 0;
        InputName = inputName;
        content = new byte[bag.Length + (int)payload.Length];
        bag.CopyTo(content);
        payload.CopyTo(content.AsSpan(bag.Length));
        state = bag.Length | (isDuplicate ? Duplicate : 0) | (place is null ? WantsNoAck : 0);
    }

    /// <summary>The input's name; empty for a message from the cloud.</summary>
    public string InputName { get; }

    /// <summary>The body; this message's own copy.</summary>
    public ReadOnlyMemory<byte> Payload => content.AsMemory(state & BagLengthMask);

    /// <summary>MQTT's flag. edgeHub's repeats come without it: tell them by <see cref="MessageId"/>.</summary>
    public bool IsDuplicate => (state & Duplicate) != 0;

    /// <summary>A property by its name on the wire, system properties with their <c>$.</c>; null when absent.</summary>
    public string? this[string property] => Bag[property];

    /// <summary>All properties, in order.</summary>
    public IEnumerable<KeyValuePair<string, string>> Properties => Bag;

    /// <summary><c>$.mid</c>; null when absent.</summary>
    public string? MessageId => this[SystemProperties.MessageId];

    /// <summary><c>$.cid</c>; null when absent.</summary>
    public string? CorrelationId => this[SystemProperties.CorrelationId];

    /// <summary><c>$.uid</c>; null when absent.</summary>
    public string? UserId => this[SystemProperties.UserId];

    /// <summary><c>$.to</c>: for whom; null when absent.</summary>
    public string? To => this[SystemProperties.To];

    /// <summary><c>$.ct</c>; null when absent.</summary>
    public string? ContentType => this[SystemProperties.ContentType];

    /// <summary><c>$.ce</c>; null when absent.</summary>
    public string? ContentEncoding => this[SystemProperties.ContentEncoding];

    /// <summary><c>$.ctime</c>; null when absent or no time.</summary>
    public DateTimeOffset? CreatedOn => TimeOf(SystemProperties.CreationTime);

    /// <summary><c>$.exp</c>; null when absent or no time.</summary>
    public DateTimeOffset? ExpiresOn => TimeOf(SystemProperties.ExpiryTime);

    /// <summary>The sender's device, stamped by the hub; null when absent.</summary>
    public string? ConnectionDeviceId => this[SystemProperties.ConnectionDeviceId];

    /// <summary>The sender's module, stamped by the hub; null when absent.</summary>
    public string? ConnectionModuleId => this[SystemProperties.ConnectionModuleId];

    internal bool IsAcknowledged => (Volatile.Read(ref state) & Acknowledged) != 0;

    private PropertyBag Bag =>
        bag ??= PropertyBag.Decode(Encoding.UTF8.GetString(content.AsSpan(0, state & BagLengthMask)));

    /// <summary>The body as text, by <see cref="ContentEncoding"/>; UTF-8 when there is none.</summary>
    /// <exception cref="FormatException">The body is no such text, or the encoding is none of utf-8, utf-16 and utf-32.</exception>
    public string GetText()
    {
        Encoding encoding = ContentEncoding?.ToUpperInvariant() switch
        {
            null or "" or "UTF-8" => new UTF8Encoding(false, throwOnInvalidBytes: true),
            "UTF-16" => new UnicodeEncoding(false, false, throwOnInvalidBytes: true),
            "UTF-32" => new UTF32Encoding(false, false, throwOnInvalidCharacters: true),
            _ => throw new FormatException(
                $"The message's content encoding '{ContentEncoding}' is none of utf-8, utf-16 and utf-32."
            ),
        };
        try
        {
            return encoding.GetString(Payload.Span);
        }
        catch (ArgumentException error)
        {
            throw new FormatException($"The message's body is no {encoding.WebName}.", error);
        }
    }

    /// <summary>
    /// Tells the hub that the message is done; the loop does it by asking for the next one. edgeHub sends it again unless this
    /// happens within 30 s. Acknowledgements leave in the order in which the messages came. False when the connection is gone: the message will come again.
    /// </summary>
    public ValueTask<bool> AckAsync() => ValueTask.FromResult(Acknowledge());

    internal bool Acknowledge() =>
        (Interlocked.Or(ref state, Acknowledged) & (Acknowledged | WantsNoAck)) != 0 || session.Acknowledge(place);

    private DateTimeOffset? TimeOf(string property) =>
        DateTimeOffset.TryParse(
            this[property],
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out var time
        )
            ? time
            : null;
}
