using System.Buffers;
using System.Text;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Routing;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.DevHub.Broker;

/// <summary>Messages to and from the property bags of topics.</summary>
internal static class MessageTopic
{
    /// <summary>UTF-8 bytes of a topic (MQTT 3.1.1, 1.5.3).</summary>
    public const int LongestTopic = ushort.MaxValue;

    /// <summary>As IoT Hub stamps it on a message of a client with a token.</summary>
    private const string DeviceAuthMethod =
        """{"scope":"device","type":"sas","issuer":"iothub","acceptingIpFilterRule":null}""";

    private const string ModuleAuthMethod =
        """{"scope":"module","type":"sas","issuer":"iothub","acceptingIpFilterRule":null}""";

    /// <summary>A client's message, stamped with who sent it. What the client says about that is dropped.</summary>
    /// <param name="sender">Who.</param>
    /// <param name="bag">The topic's end, still encoded.</param>
    /// <param name="body">Not shared with a buffer.</param>
    /// <param name="marks">More properties, for example that the packet had the retain flag.</param>
    public static HubMessage Read(
        HubIdentity sender,
        string bag,
        ReadOnlyMemory<byte> body,
        params ReadOnlySpan<string> marks
    )
    {
        var system = new MessageBag.Builder();
        var properties = new MessageBag.Builder();
        foreach (var (key, value) in PropertyBag.Decode(bag))
        {
            if (MessageProperties.Incoming.TryGetValue(key, out var name))
            {
                system.Set(name, value);
            }
            else if (key is not (SystemProperties.ConnectionDeviceId or SystemProperties.ConnectionModuleId))
            {
                properties.Set(key, value);
            }
        }
        foreach (var mark in marks)
        {
            properties.Set(mark, "true");
        }
        Stamp(system, sender);
        var stamped = system.Build();
        return new(
            HubMessage.SourceOf(sender, stamped[MessageProperties.OutputName]),
            stamped,
            properties.Build(),
            body
        );
    }

    /// <summary>What a client reported, as a message that routes can match.</summary>
    public static HubMessage TwinChange(HubIdentity client, ReadOnlyMemory<byte> patch)
    {
        var system = new MessageBag.Builder();
        system.Set("messageSchema", "twinChangeNotification");
        system.Set("operation", "updateTwin");
        system.Set(MessageProperties.ContentType, "application/json");
        system.Set(MessageProperties.ContentEncoding, "utf-8");
        Stamp(system, client);
        return new("/twinChangeNotifications", system.Build(), MessageBag.Empty, patch);
    }

    /// <summary>Writes the topic by which a message reaches its receiver. Never without properties: official clients need one.</summary>
    /// <param name="output">Gets UTF-8.</param>
    /// <param name="receiver">Who.</param>
    /// <param name="input">The module's; null = a device's message from the cloud.</param>
    /// <param name="message">What.</param>
    public static void Write(IBufferWriter<byte> output, HubIdentity receiver, string? input, HubMessage message)
    {
        Encoding.UTF8.GetBytes(HubTopics.Inbound(receiver.DeviceId, receiver.ModuleId, input), output);
        var first = true;
        foreach (var (name, value) in message.System.Entries)
        {
            if (MessageProperties.Outgoing.TryGetValue(name, out var key))
            {
                PropertyBag.WriteProperty(output, key, value, ref first);
            }
        }
        foreach (var (name, value) in message.Properties.Entries)
        {
            PropertyBag.WriteProperty(output, name, value, ref first);
        }
    }

    private static void Stamp(MessageBag.Builder system, HubIdentity sender)
    {
        system.Set(MessageProperties.ConnectionDeviceId, sender.DeviceId);
        if (sender.ModuleId is not null)
        {
            system.Set(MessageProperties.ConnectionModuleId, sender.ModuleId);
        }
        system.Set(
            MessageProperties.ConnectionAuthMethod,
            sender.ModuleId is null ? DeviceAuthMethod : ModuleAuthMethod
        );
    }
}
