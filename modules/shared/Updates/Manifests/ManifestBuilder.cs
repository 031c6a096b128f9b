using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.Updates;

/// <summary>Writes manifests, version 5. What it returns was read back by <see cref="UpdateManifest.Parse"/>.</summary>
public static class ManifestBuilder
{
    private const int DigitsOfFileId = 16;

    // The manifest is read by parsers, never by a browser; '+' of base64 stays readable.
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Builds the manifest, detached when it has more than <see cref="ManifestLimits.MaxAttachedBytes"/>. The same
    /// description always gives the same bytes. Throws <c>manifestMalformed</c> for what no host would accept.
    /// </summary>
    public static BuiltManifest Build(UpdateDescription update)
    {
        if (update.Files.CountBy(file => file.FileName).FirstOrDefault(name => name.Value > 1).Key is { } twice)
        {
            throw Wrong($"Two files are called '{twice}'.");
        }
        var files = update.Files.ToDictionary(file => FileIdOf(file.FileName), StringComparer.Ordinal);
        var bytes = Write(update, files, detachedManifestFileId: null);
        var full = UpdateManifest.Parse(bytes);
        if (bytes.Length <= ManifestLimits.MaxAttachedBytes)
        {
            return new(bytes, full, Detached: null);
        }
        var detached = Detach(update.UpdateId, bytes);
        if (files.ContainsKey(FileIdOf(detached.FileName)))
        {
            throw Wrong($"The name '{detached.FileName}' is needed for the detached manifest.");
        }
        var fileId = FileIdOf(detached.FileName);
        var stub = Write(
            update with
            {
                Steps = [],
            },
            new(StringComparer.Ordinal)
            {
                [fileId] = new(detached.FileName, detached.Content.Length, DigestOf(detached.Content.Span)),
            },
            fileId
        );
        if (stub.Length > ManifestLimits.MaxAttachedBytes)
        {
            throw Wrong($"Even detached, the manifest has {stub.Length} bytes; shorten its compatibility.");
        }
        _ = UpdateManifest.Parse(stub).ResolveDetached(detached.Content.Span);
        return new(stub, full, detached);
    }

    /// <summary>The file id of a file name: the same in every build.</summary>
    public static string FileIdOf(string fileName) =>
        $"f{DigestOf(Encoding.UTF8.GetBytes(fileName))[..DigitsOfFileId]}";

    private static DetachedManifestFile Detach(UpdateId id, byte[] manifest)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Compact))
        {
            json.WriteStartObject();
            json.WriteString("updateManifest", manifest);
            json.WriteEndObject();
        }
        return new($"{id.Provider}.{id.Name}.{id.Version}.updatemanifest.json", buffer.WrittenMemory.ToArray());
    }

    private static byte[] Write(
        UpdateDescription update,
        Dictionary<string, FileDescription> files,
        string? detachedManifestFileId
    )
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Compact))
        {
            json.WriteStartObject();
            json.WriteString("manifestVersion", "5");
            json.WriteStartObject("updateId");
            json.WriteString("provider", update.UpdateId.Provider);
            json.WriteString("name", update.UpdateId.Name);
            json.WriteString("version", update.UpdateId.Version);
            json.WriteEndObject();
            WriteCompatibility(json, update.Compatibility);
            if (detachedManifestFileId is null)
            {
                WriteSteps(json, update.Steps);
            }
            else
            {
                json.WriteString("detachedManifestFileId", detachedManifestFileId);
            }
            WriteFiles(json, files);
            json.WriteString(
                "createdDateTime",
                update.CreatedDateTime.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", null)
            );
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteCompatibility(
        Utf8JsonWriter json,
        ImmutableArray<ImmutableSortedDictionary<string, string>> compatibility
    )
    {
        json.WriteStartArray("compatibility");
        foreach (var set in compatibility)
        {
            json.WriteStartObject();
            foreach (var (name, value) in set)
            {
                json.WriteString(name, value);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteSteps(Utf8JsonWriter json, ImmutableArray<StepDescription> steps)
    {
        json.WriteStartObject("instructions");
        json.WriteStartArray("steps");
        foreach (var step in steps)
        {
            json.WriteStartObject();
            json.WriteString("type", StepTypes.Inline);
            if (step.Description is { } description)
            {
                json.WriteString("description", description);
            }
            json.WriteString("handler", step.Handler);
            json.WriteStartArray("files");
            foreach (var fileName in step.FileNames)
            {
                json.WriteStringValue(FileIdOf(fileName));
            }
            json.WriteEndArray();
            if (step.HandlerProperties is { } properties)
            {
                json.WritePropertyName("handlerProperties");
                properties.WriteTo(json);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteFiles(Utf8JsonWriter json, Dictionary<string, FileDescription> files)
    {
        json.WriteStartObject("files");
        foreach (var (fileId, file) in files)
        {
            json.WriteStartObject(fileId);
            json.WriteString("fileName", file.FileName);
            json.WriteNumber("sizeInBytes", file.SizeInBytes);
            json.WriteStartObject("hashes");
            json.WriteString("sha256", Convert.ToBase64String(Convert.FromHexString(file.Sha256)));
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static string DigestOf(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static EdgeDmException Wrong(string what) =>
        ErrorRegistry.ManifestMalformed.Exception(Subsystems.Updates, "updateManifest", what);
}

/// <summary>What a manifest is built from.</summary>
/// <param name="UpdateId">Its id.</param>
/// <param name="Compatibility">At least one set; a host must have every property of one.</param>
/// <param name="Steps">At least one.</param>
/// <param name="Files">With different names.</param>
/// <param name="CreatedDateTime">Written in UTC, to the second.</param>
public sealed record UpdateDescription(
    UpdateId UpdateId,
    ImmutableArray<ImmutableSortedDictionary<string, string>> Compatibility,
    ImmutableArray<StepDescription> Steps,
    ImmutableArray<FileDescription> Files,
    DateTimeOffset CreatedDateTime
);

/// <summary>An inline step.</summary>
/// <param name="Handler">For example <c>microsoft/script:1</c>.</param>
/// <param name="FileNames">Names of the files that it needs.</param>
/// <param name="HandlerProperties">An object; null = none.</param>
/// <param name="Description">For people; null = none.</param>
public sealed record StepDescription(
    string Handler,
    ImmutableArray<string> FileNames,
    JsonElement? HandlerProperties = null,
    string? Description = null
);

/// <summary>A file of the update.</summary>
/// <param name="FileName">One path segment.</param>
/// <param name="SizeInBytes">Exact size.</param>
/// <param name="Sha256">64 hexadecimal digits.</param>
public sealed record FileDescription(string FileName, long SizeInBytes, string Sha256);

/// <summary>A manifest, ready to be signed.</summary>
/// <param name="Attached">The bytes to sign and to put into the twin: the manifest, or the stub of a detached one.</param>
/// <param name="Full">The whole manifest in either case.</param>
/// <param name="Detached">The file to publish beside the update's files; null when attached.</param>
public sealed record BuiltManifest(ReadOnlyMemory<byte> Attached, UpdateManifest Full, DetachedManifestFile? Detached);

/// <summary>A detached manifest.</summary>
/// <param name="FileName">Its name, from the update id.</param>
/// <param name="Content">JSON with the manifest as string <c>updateManifest</c>.</param>
public sealed record DetachedManifestFile(string FileName, ReadOnlyMemory<byte> Content);
