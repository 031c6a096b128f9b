using System.Globalization;

namespace EdgeDm.Mqtt.IoTHub;

/// <summary>The topics of IoT Hub and edgeHub, as text to publish and to subscribe. Ids are never encoded.</summary>
public static class HubTopics
{
    public const string TwinResponseFilter = "$iothub/twin/res/#";
    public const string DesiredFilter = "$iothub/twin/PATCH/properties/desired/#";
    public const string MethodFilter = "$iothub/methods/POST/#";

    /// <summary><c>devices/{d}</c> or <c>devices/{d}/modules/{m}</c>.</summary>
    public static string Identity(string deviceId, string? moduleId) =>
        moduleId is null ? $"devices/{deviceId}" : $"devices/{deviceId}/modules/{moduleId}";

    /// <summary>Telemetry and outputs; the property bag follows.</summary>
    public static string Events(string deviceId, string? moduleId) =>
        $"{Identity(deviceId, moduleId)}/messages/events/";

    /// <summary>All inputs of a module. edgeHub knows no filter on a single input.</summary>
    public static string InputsFilter(string deviceId, string moduleId) => $"{Identity(deviceId, moduleId)}/inputs/#";

    /// <summary>Messages from the cloud to a device.</summary>
    public static string CloudMessagesFilter(string deviceId) => $"{Identity(deviceId, null)}/messages/devicebound/#";

    /// <summary>A message from the cloud. Official clients need the bag: it must not be empty.</summary>
    public static string CloudMessage(string deviceId, PropertyBag bag) => Inbound(deviceId, null, null) + bag.Encode();

    /// <summary>A message to an input. Official clients need the bag: it must not be empty.</summary>
    public static string Input(string deviceId, string moduleId, string input, PropertyBag bag) =>
        Inbound(deviceId, moduleId, input) + bag.Encode();

    /// <summary>What stands before the bag of a message to an input, or from the cloud where no input is named.</summary>
    public static string Inbound(string deviceId, string? moduleId, string? input) =>
        input is null
            ? $"{Identity(deviceId, null)}/messages/devicebound/"
            : $"{Identity(deviceId, moduleId)}/inputs/{input}/";

    public static string TwinGet(string requestId) => $"$iothub/twin/GET/?$rid={requestId}";

    public static string ReportedPatch(string requestId) => $"$iothub/twin/PATCH/properties/reported/?$rid={requestId}";

    /// <summary>Answer to a twin request; IoT Hub tells the new version of the reported part, edgeHub does not.</summary>
    public static string TwinResponse(int status, string requestId, long? version = null) =>
        version is null
            ? string.Create(CultureInfo.InvariantCulture, $"$iothub/twin/res/{status}/?$rid={requestId}")
            : string.Create(
                CultureInfo.InvariantCulture,
                $"$iothub/twin/res/{status}/?$rid={requestId}&$version={version}"
            );

    public static string DesiredPatch(long version) =>
        string.Create(CultureInfo.InvariantCulture, $"$iothub/twin/PATCH/properties/desired/?$version={version}");

    public static string MethodRequest(string name, string requestId) =>
        $"$iothub/methods/POST/{name}/?$rid={requestId}";

    public static string MethodResponse(int status, string requestId) =>
        string.Create(CultureInfo.InvariantCulture, $"$iothub/methods/res/{status}/?$rid={requestId}");
}
