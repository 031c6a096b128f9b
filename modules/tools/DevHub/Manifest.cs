using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace EdgeDm.DevHub;

/// <summary>
/// What a deployment manifest asks of the hub: which modules there are, and whose desired properties it sets.
/// </summary>
/// <param name="Modules">Every module it names, system modules too.</param>
/// <param name="Desired">The sections given; each replaces the module's desired properties as a whole.</param>
internal sealed record Manifest(
    ImmutableSortedSet<string> Modules,
    ImmutableArray<(string Module, JsonObject Desired)> Desired
)
{
    private const string DesiredKey = "properties.desired";

    /// <summary>Reads the object <c>modulesContent</c>.</summary>
    /// <exception cref="HubException"><see cref="HubError.ArgumentInvalid"/>, naming the section.</exception>
    public static Manifest Parse(JsonObject modulesContent)
    {
        var modules = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        var desired = ImmutableArray.CreateBuilder<(string, JsonObject)>();
        foreach (var (module, section) in modulesContent)
        {
            if (!Identities.HubIdentity.IsValidId(module))
            {
                throw Invalid($"'{module}' in modulesContent is not a valid module id.");
            }
            if (section is not JsonObject members)
            {
                throw Invalid($"modulesContent.{module} is not an object.");
            }
            modules.Add(module);
            foreach (var (key, value) in members)
            {
                if (key != DesiredKey)
                {
                    throw Invalid(
                        $"modulesContent.{module} has '{key}'. For one device, sections are whole ('{DesiredKey}'); layers are for /configurations."
                    );
                }
                desired.Add(
                    (module, value as JsonObject ?? throw Invalid($"{module}'s {DesiredKey} is not an object."))
                );
            }
        }
        foreach (var named in NamedByAgent(modulesContent))
        {
            if (!Identities.HubIdentity.IsValidId(named))
            {
                throw Invalid($"'{named}' in $edgeAgent's modules is not a valid module id.");
            }
            modules.Add(named);
        }
        return new(modules.ToImmutable(), desired.DrainToImmutable());
    }

    private static IEnumerable<string> NamedByAgent(JsonObject modulesContent) =>
        modulesContent["$edgeAgent"]?[DesiredKey]?["modules"] is JsonObject modules ? modules.Select(m => m.Key) : [];

    private static HubException Invalid(string what) => new(HubError.ArgumentInvalid, what);
}
