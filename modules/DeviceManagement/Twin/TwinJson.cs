using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace EdgeDm.DeviceManagement.Twin;

/// <summary>Serializer of loose twin content.</summary>
[JsonSerializable(typeof(JsonNode))]
internal sealed partial class TwinJson : JsonSerializerContext;
