using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.Updates;

/// <summary>What an update is called. Versions are ordered within one provider and name.</summary>
/// <param name="Provider">1 to 64 letters, digits, '.', '-', '_'.</param>
/// <param name="Name">Likewise.</param>
/// <param name="Version">A <see cref="DottedVersion"/> as text.</param>
public sealed record UpdateId(string Provider, string Name, string Version)
{
    /// <summary>Most characters of each part; Device Update's own limit.</summary>
    public const int MaxPartLength = 64;

    private const int MaxJsonLength = 1024;

    /// <summary>The version, comparable.</summary>
    public DottedVersion DottedVersion => DottedVersion.Parse(Version);

    /// <summary>True when both are versions of the same thing.</summary>
    public bool IsSameUpdate(UpdateId other) => Provider == other.Provider && Name == other.Name;

    /// <summary><c>{"provider":"..","name":"..","version":".."}</c>, the form of <c>installedUpdateId</c>.</summary>
    public string ToJson() =>
        // The parts' alphabet has nothing to escape.
        $$"""{"provider":"{{Provider}}","name":"{{Name}}","version":"{{Version}}"}""";

    /// <summary>Reads what <see cref="ToJson"/> writes; <c>manifestMalformed</c> for anything else.</summary>
    public static UpdateId Parse(string json)
    {
        const string Context = "updateId";
        if (json.Length > MaxJsonLength)
        {
            throw ErrorRegistry.ManifestMalformed.Exception(
                Subsystems.Updates,
                Context,
                $"The update id has more than {MaxJsonLength} characters."
            );
        }
        return Read(
            StrictJson.ParseObject(System.Text.Encoding.UTF8.GetBytes(json), ErrorRegistry.ManifestMalformed, Context)
        );
    }

    /// <summary>Reads the object form; <c>manifestMalformed</c> for anything else.</summary>
    public static UpdateId Parse(JsonElement json) =>
        Read(new StrictNode(json, "updateId", ErrorRegistry.ManifestMalformed).Object());

    /// <summary>Checks the parts; <c>manifestMalformed</c> names the wrong one.</summary>
    public static UpdateId Create(string provider, string name, string version)
    {
        Check("updateId.provider", provider);
        Check("updateId.name", name);
        if (!DottedVersion.TryParse(version, out _))
        {
            throw Wrong("updateId.version", "It must be whole numbers parted by dots, for example 1.2.0.");
        }
        return new(provider, name, version);
    }

    internal static UpdateId Read(StrictNode node) =>
        Create(
            node.Required("provider").Text(MaxPartLength),
            node.Required("name").Text(MaxPartLength),
            node.Required("version").Text(DottedVersion.MaxLength)
        );

    private static void Check(string path, string part)
    {
        if (
            part.Length is 0 or > MaxPartLength
            || !part.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')
        )
        {
            throw Wrong(path, $"It must be 1 to {MaxPartLength} letters, digits, '.', '-' or '_'.");
        }
    }

    private static EdgeDmException Wrong(string path, string what) =>
        ErrorRegistry.ManifestMalformed.Exception(Subsystems.Updates, path, $"{path}: {what}");
}
