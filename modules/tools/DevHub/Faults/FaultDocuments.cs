using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Service;

namespace EdgeDm.DevHub.Faults;

/// <summary>Faults as JSON.</summary>
internal static class FaultDocuments
{
    /// <summary>Stands among names of modules for the device itself.</summary>
    public const string DeviceItself = "-";

    /// <summary>All faults.</summary>
    public static JsonArray Of(IEnumerable<Fault> faults) => new([.. faults.Select(Of)]);

    /// <summary>One fault.</summary>
    public static JsonNode Of(Fault fault)
    {
        var document = new JsonObject
        {
            ["id"] = fault.Id,
            ["kind"] = fault switch
            {
                CutFault => "cut",
                SlowFault => "slow",
                _ => "drop",
            },
            ["clients"] = new JsonArray([.. fault.Clients.Select(NodeOf)]),
            ["since"] = Json.Time(fault.Since),
            ["ends"] = fault.Duration is { } duration ? Json.Time(fault.Since + duration) : null,
        };
        switch (fault)
        {
            case CutFault cut:
                document["silent"] = cut.IsSilent;
                document["https"] = cut.WithHttps;
                break;
            case SlowFault slow:
                document["latencyMilliseconds"] = slow.Latency.TotalMilliseconds;
                document["bytesPerSecond"] = slow.BytesPerSecond;
                break;
            case DropFault drop:
                document["what"] = NameOf(drop.What);
                document["next"] = drop.Choice.Next;
                document["share"] = drop.Choice.Share;
                document["seed"] = drop.Choice.Share is null ? null : drop.Choice.Seed;
                document["dropped"] = drop.Choice.Dropped;
                document["passed"] = drop.Choice.Passed;
                break;
        }
        return document;
    }

    /// <summary>The name of a kind of packet.</summary>
    public static string NameOf(DroppedPackets what) => JsonNamingPolicy.KebabCaseLower.ConvertName(what.ToString());

    private static JsonNode NodeOf(HubIdentity client) => JsonValue.Create(client.ToString());
}
