using System.Collections.Frozen;

namespace EdgeDm.DevHub.Routing.Conditions;

/// <summary>Names of system properties in conditions, <c>$</c> left out. Some are not those that IoT Hub's messages have.</summary>
internal static class SystemPropertyNames
{
    // By edgeHub's names (its SystemProperties), what a message here has.
    private static readonly FrozenDictionary<string, string> Names = new Dictionary<string, string>(
        StringComparer.OrdinalIgnoreCase
    )
    {
        ["absolute-expiry-time"] = "absoluteExpiryTimeUtc",
        ["ack"] = "ack",
        ["cid"] = "correlationId",
        ["componentName"] = "componentName",
        [MessageProperties.ConnectionAuthMethod] = MessageProperties.ConnectionAuthMethod,
        [MessageProperties.ConnectionDeviceId] = MessageProperties.ConnectionDeviceId,
        [MessageProperties.ConnectionModuleId] = MessageProperties.ConnectionModuleId,
        [MessageProperties.ContentEncoding] = MessageProperties.ContentEncoding,
        [MessageProperties.ContentType] = MessageProperties.ContentType,
        ["creationTime"] = "creationTimeUtc",
        [MessageProperties.EnqueuedTime] = MessageProperties.EnqueuedTime,
        ["iothub-interface-id"] = "interfaceId",
        [MessageProperties.MessageId] = MessageProperties.MessageId,
        ["messageSchema"] = "messageSchema",
        ["operation"] = "operation",
        [MessageProperties.OutputName] = MessageProperties.OutputName,
        ["to"] = "to",
        ["userId"] = "userId",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The name that a message has it by, whatever the case; null when no message has such a property.</summary>
    public static string? Find(string name) => Names.GetValueOrDefault(name);
}
