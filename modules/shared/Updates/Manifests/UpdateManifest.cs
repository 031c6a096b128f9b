using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.Updates;

/// <summary>
/// A Device Update manifest, version 4 or 5, as read from its exact bytes. Reading proves nothing about who wrote it:
/// <see cref="ManifestSignature.Verify"/> does. Unknown members are ignored, as Device Update's agent ignores them.
/// </summary>
/// <param name="ManifestVersion">4 or 5.</param>
/// <param name="UpdateId">What it is.</param>
/// <param name="Compatibility">Sets of properties, one of which a host must have in full; empty in a stub that has none.</param>
/// <param name="Steps">In order; empty in a stub.</param>
/// <param name="Files">By file id; in a stub only the detached manifest's file.</param>
/// <param name="CreatedDateTime">When it was made; null when it does not say.</param>
/// <param name="DetachedManifestFileId">
/// Not null in a stub: the file that carries the full manifest, see <see cref="ResolveDetached"/>.
/// </param>
public sealed record UpdateManifest(
    int ManifestVersion,
    UpdateId UpdateId,
    ImmutableArray<ImmutableSortedDictionary<string, string>> Compatibility,
    ImmutableArray<ManifestStep> Steps,
    ImmutableSortedDictionary<string, ManifestFile> Files,
    DateTimeOffset? CreatedDateTime,
    string? DetachedManifestFileId
)
{
    /// <summary>Reads a manifest or a stub. Throws <c>manifestMalformed</c> or <c>manifestVersion</c>.</summary>
    public static UpdateManifest Parse(ReadOnlySpan<byte> utf8) => ManifestParser.Parse(utf8);

    /// <summary>Sum of the files' sizes in bytes.</summary>
    public long TotalBytes => Files.Values.Sum(file => file.SizeInBytes);

    /// <summary>
    /// The full manifest that this stub stands for. It carries no signature of its own: it is trusted because the signed
    /// stub names its digest, which is checked here.
    /// </summary>
    /// <param name="file">The detached file's bytes: JSON whose member <c>updateManifest</c> is the manifest as a string.</param>
    /// <exception cref="EdgeDmException">
    /// <c>manifestTampered</c>: not the file that the stub names, or another update's. <c>manifestMalformed</c>: no manifest in it.
    /// </exception>
    public UpdateManifest ResolveDetached(ReadOnlySpan<byte> file)
    {
        const string Context = "detachedManifest";
        if (DetachedManifestFileId is null)
        {
            throw new InvalidOperationException("This manifest is not detached.");
        }
        if (file.Length > ManifestLimits.MaxDetachedFileBytes)
        {
            throw ErrorRegistry.ManifestMalformed.Exception(
                Subsystems.Updates,
                Context,
                $"The detached manifest has {file.Length} bytes; at most {ManifestLimits.MaxDetachedFileBytes} are allowed."
            );
        }
        if (Convert.ToHexStringLower(SHA256.HashData(file)) != Files[DetachedManifestFileId].Sha256)
        {
            throw ErrorRegistry.ManifestTampered.Exception(
                Subsystems.Updates,
                Context,
                "The detached manifest is not the file whose digest the signed manifest names."
            );
        }
        var text = StrictJson
            .ParseObject(file, ErrorRegistry.ManifestMalformed, Context)
            .Required("updateManifest")
            .Text(ManifestLimits.MaxManifestBytes);
        var full = Parse(Encoding.UTF8.GetBytes(text));
        if (full.DetachedManifestFileId is not null)
        {
            throw ErrorRegistry.ManifestMalformed.Exception(
                Subsystems.Updates,
                Context,
                "A detached manifest must not be detached once more."
            );
        }
        return full.UpdateId == UpdateId
            ? full
            : throw ErrorRegistry.ManifestTampered.Exception(
                Subsystems.Updates,
                Context,
                $"The detached manifest is for {full.UpdateId.ToJson()}, the signed one for {UpdateId.ToJson()}."
            );
    }

    /// <summary>True when one compatibility set is wholly among the host's properties. Compared exactly, as Device Update does.</summary>
    /// <param name="host">For example <c>deviceManufacturer</c> and <c>deviceModel</c>.</param>
    public bool IsCompatibleWith(IReadOnlyDictionary<string, string> host) =>
        Compatibility.Any(set =>
            set.All(property => host.TryGetValue(property.Key, out var value) && value == property.Value)
        );
}

/// <summary>One instruction step.</summary>
/// <param name="Index">From 0.</param>
/// <param name="Type">One of <see cref="StepTypes"/>.</param>
/// <param name="Handler">For example <c>microsoft/script:1</c>; empty for a reference.</param>
/// <param name="Files">File ids, each one of the manifest's.</param>
/// <param name="HandlerProperties">An object, for the handler; empty when the manifest has none.</param>
/// <param name="Description">For people.</param>
/// <param name="ReferencedUpdateId">Reference only: the child update.</param>
/// <param name="DetachedManifestFileId">Reference only: the file with the child's manifest.</param>
public sealed record ManifestStep(
    int Index,
    string Type,
    string Handler,
    ImmutableArray<string> Files,
    JsonElement HandlerProperties,
    string? Description = null,
    UpdateId? ReferencedUpdateId = null,
    string? DetachedManifestFileId = null
);

/// <summary>Words of a step's type.</summary>
public static class StepTypes
{
    public const string Inline = "inline";

    /// <summary>Another update as a step.</summary>
    public const string Reference = "reference";
}

/// <summary>
/// A file of an update. Version 5's <c>relatedFiles</c> serve delta downloads; the full file always works, so they are not read.
/// </summary>
/// <param name="FileId">The manifest's name of it, the key in <c>fileUrls</c>.</param>
/// <param name="FileName">One path segment, safe on Linux and Windows; unique in the manifest unless the content is the same.</param>
/// <param name="SizeInBytes">Exact size.</param>
/// <param name="Sha256">64 lower-case hexadecimal digits.</param>
/// <param name="Arguments">For the handler.</param>
/// <param name="MimeType">As the manifest says.</param>
/// <param name="DownloadHandler">Version 5: the id of a download handler.</param>
public sealed record ManifestFile(
    string FileId,
    string FileName,
    long SizeInBytes,
    string Sha256,
    string? Arguments = null,
    string? MimeType = null,
    string? DownloadHandler = null
);
