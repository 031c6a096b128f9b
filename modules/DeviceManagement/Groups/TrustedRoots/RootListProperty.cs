using System.Collections.Immutable;
using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Groups.TrustedRoots;

/// <summary>The desired property <see cref="TrustedRootsNames.RootList"/>.</summary>
internal static class RootListProperty
{
    private const string Name = TrustedRootsNames.RootList;
    private const int MaxParts = TrustedRootsNames.MaxRootListParts;

    /// <summary>The list's text, or null and what is wrong.</summary>
    public static string? TryRead(JsonElement properties, out ImmutableSortedDictionary<string, ErrorObject> errors)
    {
        var found = ImmutableSortedDictionary.CreateBuilder<string, ErrorObject>(StringComparer.Ordinal);
        string? list = null;
        foreach (var property in properties.EnumerateObject())
        {
            switch (property.Name)
            {
                case Name:
                    list = Join(property.Value);
                    break;
                case TwinNames.Meta:
                    break;
                default:
                    found[property.Name] = ErrorRegistry.UnknownProperty.Error(
                        Subsystems.DeviceManagement,
                        property.Name,
                        $"{TwinNames.TrustedRoots} has no property '{property.Name}'."
                    );
                    break;
            }
        }
        if (!properties.TryGetProperty(Name, out _))
        {
            found[Name] = ErrorRegistry.MissingProperty.Error(
                Subsystems.DeviceManagement,
                Name,
                $"{TwinNames.TrustedRoots} lacks {Name}."
            );
        }
        else if (list is null)
        {
            found[Name] = ErrorRegistry.InvalidValue.Error(
                Subsystems.DeviceManagement,
                Name,
                $"The value at {Name} must be a signed root list's text, or 1 to {MaxParts} parts of it."
            );
        }
        errors = found.ToImmutable();
        return found.Count == 0 ? list : null;
    }

    private static string? Join(JsonElement value)
    {
        var parts = value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().ToArray() : [value];
        return
            parts.Length is > 0 and <= MaxParts
            && parts.All(part => part.ValueKind == JsonValueKind.String && part.GetString()!.Length > 0)
            ? string.Concat(parts.Select(part => part.GetString()))
            : null;
    }
}
