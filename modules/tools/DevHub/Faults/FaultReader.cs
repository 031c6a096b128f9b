using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Service;

namespace EdgeDm.DevHub.Faults;

/// <summary>Reads what fault a developer asks for, and says what is wrong with it.</summary>
internal sealed class FaultReader(IdentityRegistry identities, FaultLimits limits)
{
    private static readonly ImmutableArray<string> Common = ["kind", "device", "modules", "milliseconds"];
    private static readonly ImmutableArray<string> OfCut = ["silent", "https"];
    private static readonly ImmutableArray<string> OfSlow = ["latencyMilliseconds", "bytesPerSecond"];
    private static readonly ImmutableArray<string> OfDrop = ["what", "next", "share", "seed"];

    /// <summary>Reads <c>{"kind": "cut" | "slow" | "drop", ...}</c>.</summary>
    /// <exception cref="HubException">It is wrong.</exception>
    public Fault Read(JsonObject asked)
    {
        Fault fault = Json.TextAt(asked, "kind") switch
        {
            "cut" => ReadCut(asked),
            "slow" => ReadSlow(asked),
            "drop" => ReadDrop(asked),
            var kind => throw Invalid($"'kind' is '{kind}' instead of cut, slow or drop."),
        };
        return fault with { Clients = ReadClients(asked), Duration = ReadDuration(asked) };
    }

    private static CutFault ReadCut(JsonObject asked)
    {
        RequireKnown(asked, OfCut);
        return new()
        {
            IsSilent = Json.FlagAt(asked, "silent") ?? false,
            WithHttps = Json.FlagAt(asked, "https") ?? false,
        };
    }

    private SlowFault ReadSlow(JsonObject asked)
    {
        RequireKnown(asked, OfSlow);
        var latency = Json.IntegerAt(asked, "latencyMilliseconds", 0);
        var most = (int)limits.EffectiveLongestLatency.TotalMilliseconds;
        if (latency < 0 || latency > most)
        {
            throw Invalid($"'latencyMilliseconds' must be 0 to {most}.");
        }
        var rate = Json.IntegerAt(asked, "bytesPerSecond", int.MaxValue);
        if (rate < limits.LeastBytesPerSecond)
        {
            throw Invalid($"'bytesPerSecond' must be {limits.LeastBytesPerSecond} or more.");
        }
        if (latency == 0 && rate == int.MaxValue)
        {
            throw Invalid("'latencyMilliseconds' or 'bytesPerSecond' must be given.");
        }
        return new()
        {
            Latency = TimeSpan.FromMilliseconds(latency),
            BytesPerSecond = rate == int.MaxValue ? null : rate,
        };
    }

    private DropFault ReadDrop(JsonObject asked)
    {
        RequireKnown(asked, OfDrop);
        return new() { What = ReadWhat(asked), Choice = ReadChoice(asked) };
    }

    private static DroppedPackets ReadWhat(JsonObject asked)
    {
        var name = Json.TextAt(asked, "what");
        foreach (var what in Enum.GetValues<DroppedPackets>())
        {
            if (FaultDocuments.NameOf(what) == name)
            {
                return what;
            }
        }
        var names = Enum.GetValues<DroppedPackets>().Select(FaultDocuments.NameOf);
        throw Invalid($"'what' is '{name}' instead of one of {string.Join(", ", names)}.");
    }

    private DropChoice ReadChoice(JsonObject asked)
    {
        if (asked["next"] is null == asked["share"] is null)
        {
            throw Invalid("Either 'next' or 'share' must be given.");
        }
        if (asked["share"] is { } share)
        {
            return share is JsonValue value && value.TryGetValue(out double part) && part is > 0 and <= 1
                ? DropChoice.OfShare(part, Json.IntegerAt(asked, "seed", Random.Shared.Next()))
                : throw Invalid("'share' must be a number above 0 and at most 1.");
        }
        if (asked["seed"] is not null)
        {
            throw Invalid("'seed' goes with 'share': the next so many need no choice.");
        }
        var next = Json.IntegerAt(asked, "next", 0);
        return next >= 1 && next <= limits.MostDropped
            ? DropChoice.OfNext(next)
            : throw Invalid($"'next' must be 1 to {limits.MostDropped}.");
    }

    private ImmutableArray<HubIdentity> ReadClients(JsonObject asked)
    {
        var device = Json.TextAt(asked, "device") ?? identities.DeviceId;
        var names = asked["modules"] switch
        {
            null => [],
            JsonArray array => array,
            _ => throw new JsonException("'modules' must be a list of names."),
        };
        return [.. names.Select(name => ReadClient(device, name)).Distinct()];
    }

    private HubIdentity ReadClient(string device, JsonNode? name)
    {
        if (name is not JsonValue value || !value.TryGetValue(out string? module))
        {
            throw new JsonException("'modules' must be a list of names.");
        }
        return Addressee.Require(identities, new(device, module == FaultDocuments.DeviceItself ? null : module)).Id;
    }

    private TimeSpan? ReadDuration(JsonObject asked)
    {
        if (asked["milliseconds"] is null)
        {
            return null;
        }
        var most = (int)limits.EffectiveLongest.TotalMilliseconds;
        var duration = Json.IntegerAt(asked, "milliseconds", 0);
        return duration >= 1 && duration <= most
            ? TimeSpan.FromMilliseconds(duration)
            : throw Invalid($"'milliseconds' must be 1 to {most}.");
    }

    private static void RequireKnown(JsonObject asked, ImmutableArray<string> ofKind)
    {
        foreach (var (name, _) in asked)
        {
            if (!Common.Contains(name) && !ofKind.Contains(name))
            {
                throw Invalid($"'{name}' means nothing to {asked["kind"]}.");
            }
        }
    }

    private static HubException Invalid(string message) => new(HubError.ArgumentInvalid, message);
}
