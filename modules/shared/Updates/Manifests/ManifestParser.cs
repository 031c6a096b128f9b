using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.Updates;

/// <summary>From bytes to <see cref="UpdateManifest"/>, every bound checked.</summary>
internal static class ManifestParser
{
    private const string Root = "updateManifest";
    private const int Sha256Bytes = 32;
    private const int LongestDigestText = 64;
    private static readonly JsonElement NoProperties = JsonElement.Parse("{}");

    public static UpdateManifest Parse(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > ManifestLimits.MaxManifestBytes)
        {
            throw ErrorRegistry.ManifestMalformed.Exception(
                Subsystems.Updates,
                Root,
                $"The manifest has {utf8.Length} bytes; at most {ManifestLimits.MaxManifestBytes} are allowed."
            );
        }
        var node = StrictJson.ParseObject(utf8, ErrorRegistry.ManifestMalformed, Root);
        var version = ReadVersion(node);
        var updateId = UpdateId.Read(node.Required("updateId").Object());
        var files = ReadFiles(node.Optional("files"));
        var detached = node.Optional("detachedManifestFileId");
        if (detached is { } reference)
        {
            RequireFile(reference, files);
        }
        var isStub = detached is not null;
        return new(
            version,
            updateId,
            ReadCompatibility(isStub ? node.Optional("compatibility") : node.Required("compatibility")),
            ReadSteps(isStub ? node.Optional("instructions") : node.Required("instructions"), files),
            files,
            ReadTime(node.Optional("createdDateTime")),
            detached?.Text(ManifestLimits.MaxNameLength)
        );
    }

    /// <summary>Device Update sends "4" and "5"; its schemas say 4.0 and 5.0, and some makers write numbers.</summary>
    private static int ReadVersion(StrictNode node)
    {
        const int MostVersionCharacters = 16;
        var version = node.Required("manifestVersion");
        var text = version.Element.ValueKind switch
        {
            JsonValueKind.String => version.Element.GetString(),
            JsonValueKind.Number => version.Element.GetRawText(),
            _ => null,
        };
        return text switch
        {
            "4" or "4.0" => 4,
            "5" or "5.0" => 5,
            _ => throw ErrorRegistry.ManifestVersion.Exception(
                Subsystems.Updates,
                version.Path,
                "This manifest version is not known.",
                ("found", text is { Length: <= MostVersionCharacters } ? text : "no version")
            ),
        };
    }

    private static ImmutableArray<ImmutableSortedDictionary<string, string>> ReadCompatibility(StrictNode? node) =>
        node is not { } list
            ? []
            :
            [
                .. list.Items(ManifestLimits.MaxCompatibilitySets)
                    .Select(set =>
                        set.Members(ManifestLimits.MaxCompatibilityProperties)
                            .ToImmutableSortedDictionary(
                                property =>
                                    property.Name.Length is > 0 and <= ManifestLimits.MaxNameLength
                                        ? property.Name
                                        : throw property.Value.Wrong("Its name is empty or too long."),
                                property => property.Value.Text(ManifestLimits.MaxNameLength),
                                StringComparer.Ordinal
                            )
                    )
                    // An empty set would fit every host.
                    .Select(set => set.Count > 0 ? set : throw list.Wrong("A set must not be empty.")),
            ];

    private static ImmutableSortedDictionary<string, ManifestFile> ReadFiles(StrictNode? node)
    {
        var files = ImmutableSortedDictionary.CreateBuilder<string, ManifestFile>(StringComparer.Ordinal);
        var digests = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (fileId, value) in node?.Members(ManifestLimits.MaxFiles) ?? [])
        {
            var file = ReadFile(fileId, value);
            if (!digests.TryAdd(file.FileName, file.Sha256) && digests[file.FileName] != file.Sha256)
            {
                throw value.Wrong($"Another file with other content is also called '{file.FileName}'.");
            }
            files.Add(fileId, file);
        }
        return files.ToImmutable();
    }

    private static ManifestFile ReadFile(string fileId, StrictNode node)
    {
        node.Object();
        if (
            fileId.Length is 0 or > ManifestLimits.MaxNameLength
            || !fileId.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_')
        )
        {
            throw node.Wrong($"A file id is 1 to {ManifestLimits.MaxNameLength} letters, digits, '.', '-' or '_'.");
        }
        var fileName = node.Required("fileName");
        if (FileNames.Complaint(fileName.Text(ManifestLimits.MaxFileNameBytes)) is { } complaint)
        {
            throw fileName.Wrong(complaint);
        }
        return new(
            fileId,
            fileName.Text(ManifestLimits.MaxFileNameBytes),
            node.Required("sizeInBytes").WholeNumber(ManifestLimits.MaxFileSize),
            ReadDigest(node.Required("hashes").Object().Required("sha256")),
            node.Optional("arguments")?.Text(ManifestLimits.MaxTextLength, minLength: 0),
            node.Optional("mimeType")?.Text(ManifestLimits.MaxTextLength, minLength: 0),
            node.Optional("downloadHandler")?.Object().Required("id").Text(ManifestLimits.MaxNameLength)
        );
    }

    private static string ReadDigest(StrictNode node)
    {
        var text = node.Text(LongestDigestText);
        var digest = new byte[Sha256Bytes];
        return Base64Text.TryDecode(text, digest, out var length) && length == Sha256Bytes
            ? Convert.ToHexStringLower(digest)
            : throw node.Wrong("It must be a SHA-256 digest in base64.");
    }

    private static ImmutableArray<ManifestStep> ReadSteps(
        StrictNode? instructions,
        ImmutableSortedDictionary<string, ManifestFile> files
    )
    {
        if (instructions is not { } node)
        {
            return [];
        }
        var list = node.Object().Required("steps");
        ImmutableArray<ManifestStep> steps =
        [
            .. list.Items(ManifestLimits.MaxSteps).Select((step, i) => ReadStep(i, step.Object(), files)),
        ];
        return steps.Length > 0 ? steps : throw list.Wrong("There must be at least one step.");
    }

    private static ManifestStep ReadStep(
        int index,
        StrictNode node,
        ImmutableSortedDictionary<string, ManifestFile> files
    )
    {
        var type = node.Optional("type")?.Text(ManifestLimits.MaxNameLength) ?? StepTypes.Inline;
        var description = node.Optional("description")?.Text(ManifestLimits.MaxTextLength, minLength: 0);
        if (type == StepTypes.Reference)
        {
            var child = node.Required("detachedManifestFileId");
            RequireFile(child, files);
            return new(
                index,
                type,
                "",
                [],
                NoProperties,
                description,
                UpdateId.Read(node.Required("updateId").Object()),
                child.Text(ManifestLimits.MaxNameLength)
            );
        }
        if (type != StepTypes.Inline)
        {
            throw node.Required("type").Wrong("It must be 'inline' or 'reference'.");
        }
        return new(
            index,
            type,
            node.Required("handler").Text(ManifestLimits.MaxNameLength),
            [.. node.Optional("files")?.Items(ManifestLimits.MaxFiles).Select(file => RequireFile(file, files)) ?? []],
            node.Optional("handlerProperties")?.Object().Element ?? NoProperties,
            description
        );
    }

    private static string RequireFile(StrictNode node, ImmutableSortedDictionary<string, ManifestFile> files)
    {
        var fileId = node.Text(ManifestLimits.MaxNameLength);
        return files.ContainsKey(fileId) ? fileId : throw node.Wrong("The manifest's files have no such file id.");
    }

    private static DateTimeOffset? ReadTime(StrictNode? node)
    {
        if (node is not { } time)
        {
            return null;
        }
        return DateTimeOffset.TryParse(
            time.Text(ManifestLimits.MaxNameLength),
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var value
        )
            ? value
            : throw time.Wrong("It must be a time as 2026-01-31T12:00:00Z.");
    }
}
