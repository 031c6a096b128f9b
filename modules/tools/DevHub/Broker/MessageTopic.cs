using System.Collections.Immutable;
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
        var system = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        var properties = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in PropertyBag.Decode(bag))
        {
            if (MessageProperties.Incoming.TryGetValue(key, out var name))
            {
                system[name] = value;
            }
            else if (key is not (SystemProperties.ConnectionDeviceId or SystemProperties.ConnectionModuleId))
            {
                properties[key] = value;
            }
        }
        foreach (var mark in marks)
        {
            properties[mark] = "true";
        }
        Stamp(system, sender);
        return new(
            HubMessage.SourceOf(sender, system.GetValueOrDefault(MessageProperties.OutputName)),
            system.ToImmutable(),
            properties.ToImmutable(),
            body
        );
    }

    /// <summary>What a client reported, as a message that routes can match.</summary>
    public static HubMessage TwinChange(HubIdentity client, ReadOnlyMemory<byte> patch)
    {
        var system = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        system["messageSchema"] = "twinChangeNotification";
        system["operation"] = "updateTwin";
        system[MessageProperties.ContentType] = "application/json";
        system[MessageProperties.ContentEncoding] = "utf-8";
        Stamp(system, client);
        return new("/twinChangeNotifications", system.ToImmutable(), ImmutableDictionary<string, string>.Empty, patch);
    }

    /// <summary>The topic by which a message reaches its receiver. Never without properties: official clients need one.</summary>
    /// <param name="receiver">Who.</param>
    /// <param name="input">The module's; null = a device's message from the cloud.</param>
    /// <param name="message">What.</param>
    public static string Write(HubIdentity receiver, string? input, HubMessage message)
    {
        var bag = new PropertyBag();
        foreach (var (name, value) in message.System.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            if (MessageProperties.Outgoing.TryGetValue(name, out var key))
            {
                bag[key] = value;
            }
        }
        foreach (var (name, value) in message.Properties.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            bag[name] = value;
        }
        return input is null
            ? HubTopics.CloudMessage(receiver.DeviceId, bag)
            : HubTopics.Input(receiver.DeviceId, receiver.ModuleId!, input, bag);
    }

    private static void Stamp(ImmutableDictionary<string, string>.Builder system, HubIdentity sender)
    {
        system[MessageProperties.ConnectionDeviceId] = sender.DeviceId;
        if (sender.ModuleId is not null)
        {
            system[MessageProperties.ConnectionModuleId] = sender.ModuleId;
        }
        system[MessageProperties.ConnectionAuthMethod] = sender.ModuleId is null ? DeviceAuthMethod : ModuleAuthMethod;
    }
}
