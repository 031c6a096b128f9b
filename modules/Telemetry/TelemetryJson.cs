using System.Text.Json.Serialization;

namespace EdgeDm.Telemetry;

/// <summary>Values of resources.</summary>
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(long))]
internal sealed partial class TelemetryJson : JsonSerializerContext;
