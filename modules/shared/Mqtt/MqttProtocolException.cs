namespace EdgeDm.Mqtt;

/// <summary>The peer broke MQTT 3.1.1. There is no way to go on: close the connection.</summary>
/// <param name="message">What was wrong, with the value and the limit.</param>
/// <param name="refuseWith">For a CONNECT: the code that a server must answer before it closes; null = close silently.</param>
public sealed class MqttProtocolException(string message, ConnackCode? refuseWith = null) : Exception(message)
{
    /// <summary>The CONNACK code that the specification asks for, if it asks for one.</summary>
    public ConnackCode? RefuseWith { get; } = refuseWith;
}
