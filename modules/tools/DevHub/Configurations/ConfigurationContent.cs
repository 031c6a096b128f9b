using System.Collections.Immutable;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Twins;

namespace EdgeDm.DevHub.Configurations;

/// <summary>Whose twins a configuration's content is for.</summary>
internal enum ContentKind
{
    /// <summary><c>deviceContent</c>: devices.</summary>
    Device,

    /// <summary><c>moduleContent</c>: modules.</summary>
    Module,

    /// <summary><c>modulesContent</c>: modules of Edge devices, a deployment.</summary>
    Edge,
}

/// <summary>A configuration's content, read and checked.</summary>
/// <param name="Kind">Whose twins it is for.</param>
/// <param name="Sections">What it sets: by module for a deployment, else one section without a name.</param>
internal sealed record ConfigurationContent(
    ContentKind Kind,
    ImmutableSortedDictionary<string, ImmutableArray<DesiredSetting>> Sections
)
{
    /// <summary>The section of what has no modules.</summary>
    public const string Whole = "";

    private const string Root = "properties.desired";

    /// <summary>True for a deployment that is whole in itself: it has a base for <c>$edgeAgent</c>, and no layer needs one.</summary>
    public bool IsBase =>
        Kind == ContentKind.Edge
        && Sections.TryGetValue(SystemModules.EdgeAgent, out var agent)
        && agent.Any(setting => setting.Path.IsEmpty);

    /// <summary>Reads content.</summary>
    /// <exception cref="HubException"><see cref="HubError.InvalidConfigurationContent"/>, naming the section.</exception>
    public static ConfigurationContent Parse(JsonObject content)
    {
        var given = content.Where(member => member.Value is not null).ToList();
        if (given.Count != 1)
        {
            throw Invalid("The content must have one of deviceContent, moduleContent and modulesContent.");
        }
        var (name, value) = given[0];
        var members = value as JsonObject ?? throw Invalid($"'{name}' is not an object.");
        return name switch
        {
            "deviceContent" => new(ContentKind.Device, One(name, members)),
            "moduleContent" => new(ContentKind.Module, One(name, members)),
            "modulesContent" => new(ContentKind.Edge, Modules(members)),
            _ => throw Invalid($"The content has '{name}' instead of deviceContent, moduleContent or modulesContent."),
        };
    }

    private static ImmutableSortedDictionary<string, ImmutableArray<DesiredSetting>> One(
        string name,
        JsonObject members
    ) => ImmutableSortedDictionary<string, ImmutableArray<DesiredSetting>>.Empty.Add(Whole, Settings(name, members));

    private static ImmutableSortedDictionary<string, ImmutableArray<DesiredSetting>> Modules(JsonObject modules)
    {
        var sections = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<DesiredSetting>>(
            StringComparer.Ordinal
        );
        foreach (var (module, section) in modules)
        {
            if (!HubIdentity.IsValidId(module))
            {
                throw Invalid($"'{module}' in modulesContent is not a valid module id.");
            }
            sections[module] = Settings(
                $"modulesContent.{module}",
                section as JsonObject ?? throw Invalid($"'{module}' in modulesContent is not an object.")
            );
        }
        return sections.ToImmutable();
    }

    private static ImmutableArray<DesiredSetting> Settings(string at, JsonObject members)
    {
        var settings = ImmutableArray.CreateBuilder<DesiredSetting>();
        foreach (var (key, value) in members)
        {
            var path =
                key == Root ? []
                : key.StartsWith(Root + ".", StringComparison.Ordinal) ? key[(Root.Length + 1)..].Split('.')
                : throw Invalid($"'{key}' in {at} is not '{Root}' or '{Root}.<path>'.");
            if (path.Length == 0 && value is not JsonObject)
            {
                throw Invalid($"'{key}' in {at} is not an object.");
            }
            var setting = new DesiredSetting([.. path], value);
            try
            {
                TwinLimits.CheckContent(setting.Into([]));
            }
            catch (HubException error)
            {
                throw Invalid($"'{key}' in {at}: {error.Message}");
            }
            settings.Add(setting);
        }
        return settings.DrainToImmutable();
    }

    private static HubException Invalid(string what) => new(HubError.InvalidConfigurationContent, what);
}

/// <summary>One thing that a configuration sets.</summary>
/// <param name="Path">Below the desired properties; empty = all of them.</param>
/// <param name="Value">What is there then, instead of what was; null = nothing.</param>
internal sealed record DesiredSetting(ImmutableArray<string> Path, JsonNode? Value)
{
    /// <summary>A copy of the properties with this set.</summary>
    public JsonObject Into(JsonObject desired)
    {
        if (Path.IsEmpty)
        {
            return Value!.DeepClone().AsObject();
        }
        var result = desired.DeepClone().AsObject();
        var at = result;
        foreach (var name in Path[..^1])
        {
            if (at[name] is not JsonObject child)
            {
                at[name] = child = [];
            }
            at = child;
        }
        if (Value is null)
        {
            at.Remove(Path[^1]);
        }
        else
        {
            at[Path[^1]] = Value.DeepClone();
        }
        return result;
    }
}
