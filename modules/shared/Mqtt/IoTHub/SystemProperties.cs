namespace EdgeDm.Mqtt.IoTHub;

/// <summary>System properties as they stand in a property bag (the <c>$</c> is encoded on the wire).</summary>
public static class SystemProperties
{
    public const string MessageId = "$.mid";
    public const string CorrelationId = "$.cid";
    public const string UserId = "$.uid";
    public const string To = "$.to";
    public const string ContentType = "$.ct";
    public const string ContentEncoding = "$.ce";
    public const string CreationTime = "$.ctime";
    public const string ExpiryTime = "$.exp";
    public const string InterfaceId = "$.ifid";
    public const string Component = "$.sub";

    /// <summary>Which output a module's message left by. From the module to the hub only.</summary>
    public const string OutputName = "$.on";

    /// <summary>The sender's device, stamped by the hub. From the hub to a module only.</summary>
    public const string ConnectionDeviceId = "$.cdid";

    /// <summary>The sender's module, stamped by the hub. From the hub to a module only.</summary>
    public const string ConnectionModuleId = "$.cmid";
}
