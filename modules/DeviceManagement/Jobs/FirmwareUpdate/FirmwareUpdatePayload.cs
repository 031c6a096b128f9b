using System.Collections.Immutable;
using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.DeviceManagement.Jobs.FirmwareUpdate;

/// <summary>
/// What to install: the desired group's properties, or <c>createJob</c>'s payload, checked. Only shapes are checked here;
/// the manifest itself is HostAccess's to judge.
/// </summary>
/// <param name="UpdateManifest">Null when a bundle is given.</param>
/// <param name="UpdateManifestSignature">Null when a bundle is given.</param>
/// <param name="FileUrls">Addresses by file id; may carry tokens.</param>
/// <param name="PackageUri">A bundle's address; null when a manifest is given.</param>
/// <param name="WorkflowId">The operator's id, or null.</param>
internal sealed record FirmwareUpdatePayload(
    string? UpdateManifest,
    string? UpdateManifestSignature,
    ImmutableDictionary<string, ImmutableArray<string>> FileUrls,
    string? PackageUri,
    string? WorkflowId
)
{
    private const int MaxUrlsOfAFile = 8;

    /// <summary>
    /// What makes two requests the same update: everything but the addresses' tokens. A bundle's address counts without
    /// its query.
    /// </summary>
    public string Identity =>
        string.Join(
            '\n',
            UpdateManifest,
            UpdateManifestSignature,
            PackageUri is null ? null : new Uri(PackageUri).GetLeftPart(UriPartial.Path),
            WorkflowId
        );

    /// <summary>The id of the job that a desired group asks for: reconnects and restarts find the same one.</summary>
    public string JobId => "fw-" + ContentDigest.Of(Identity)[..24];

    /// <summary>Reads it. Throws the first error that <see cref="TryParse"/> finds.</summary>
    public static FirmwareUpdatePayload Parse(JsonElement element) =>
        TryParse(element, out var errors) ?? throw new EdgeDmException(errors.Values.First());

    /// <summary>Reads it, or tells every error by its path.</summary>
    public static FirmwareUpdatePayload? TryParse(
        JsonElement element,
        out ImmutableSortedDictionary<string, ErrorObject> errors
    )
    {
        var reader = new Reader();
        var payload = reader.Read(element);
        errors = reader.Errors.ToImmutable();
        return errors.IsEmpty ? payload : null;
    }

    private sealed class Reader
    {
        public ImmutableSortedDictionary<string, ErrorObject>.Builder Errors { get; } =
            ImmutableSortedDictionary.CreateBuilder<string, ErrorObject>(StringComparer.Ordinal);

        public FirmwareUpdatePayload? Read(JsonElement element)
        {
            if (element.ValueKind != JsonValueKind.Object)
            {
                Wrong(TwinNames.FirmwareUpdate, TwinNames.FirmwareUpdate, "must be an object");
                return null;
            }
            string? manifest = null,
                signature = null,
                package = null,
                workflow = null;
            var urls = ImmutableDictionary<string, ImmutableArray<string>>.Empty;
            foreach (var property in element.EnumerateObject())
            {
                switch (property.Name)
                {
                    case "updateManifest":
                        manifest = Text(property.Value, property.Name);
                        break;
                    case "updateManifestSignature":
                        signature = Text(property.Value, property.Name);
                        break;
                    case "packageUri":
                        package = Url(property.Value, property.Name, property.Name);
                        break;
                    case "fileUrls":
                        urls = Urls(property.Value);
                        break;
                    case "workflow":
                        workflow = Workflow(property.Value);
                        break;
                    case TwinNames.Meta:
                        break;
                    default:
                        Unknown(property.Name, property.Name);
                        break;
                }
            }
            RequireOneForm(manifest, signature, package);
            return new(manifest, signature, urls, package, workflow);
        }

        private void RequireOneForm(string? manifest, string? signature, string? package)
        {
            if (Errors.Count > 0)
            {
                return;
            }
            if (package is not null && (manifest is not null || signature is not null))
            {
                Wrong("packageUri", "packageUri", "stands alone: a bundle brings its own manifest and signature");
            }
            else if (package is null && manifest is null)
            {
                Missing("updateManifest");
            }
            else if (package is null && signature is null)
            {
                Missing("updateManifestSignature");
            }
        }

        private ImmutableDictionary<string, ImmutableArray<string>> Urls(JsonElement value)
        {
            var urls = ImmutableDictionary.CreateBuilder<string, ImmutableArray<string>>(StringComparer.Ordinal);
            if (value.ValueKind != JsonValueKind.Object)
            {
                Wrong("fileUrls", "fileUrls", "must be an object of file id to address");
                return urls.ToImmutable();
            }
            foreach (var file in value.EnumerateObject())
            {
                var path = $"fileUrls/{file.Name}";
                var addresses =
                    file.Value.ValueKind == JsonValueKind.Array
                        ? [.. file.Value.EnumerateArray()]
                        : new[] { file.Value };
                if (addresses.Length is 0 or > MaxUrlsOfAFile)
                {
                    Wrong("fileUrls", path, $"must name 1 to {MaxUrlsOfAFile} addresses");
                    continue;
                }
                urls[file.Name] = [.. addresses.Select(a => Url(a, "fileUrls", path)).OfType<string>()];
            }
            return urls.ToImmutable();
        }

        private string? Workflow(JsonElement value)
        {
            const string Id = "id";
            if (value.ValueKind != JsonValueKind.Object)
            {
                Wrong("workflow", "workflow", "must be an object with an id");
                return null;
            }
            if (value.EnumerateObject().Select(p => p.Name).FirstOrDefault(name => name != Id) is { } stranger)
            {
                Unknown("workflow", $"workflow/{stranger}");
                return null;
            }
            if (
                value.TryGetProperty(Id, out var id)
                && id.ValueKind == JsonValueKind.String
                && id.GetString() is { Length: > 0 and <= 256 } text
            )
            {
                return text;
            }
            Wrong("workflow", "workflow/id", "must be a string of 1 to 256 characters");
            return null;
        }

        private string? Text(JsonElement value, string path)
        {
            if (value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text)
            {
                return text;
            }
            Wrong(path, path, "must be a string that is not empty");
            return null;
        }

        private string? Url(JsonElement value, string key, string path)
        {
            // The address itself stays out of the error: it may carry a token.
            if (
                value.ValueKind == JsonValueKind.String
                && Uri.TryCreate(value.GetString(), UriKind.Absolute, out var uri)
                && uri.Scheme is "http" or "https"
            )
            {
                return uri.OriginalString;
            }
            Errors[key] = ErrorRegistry.InvalidUrl.Error(
                Subsystems.DeviceManagement,
                path,
                $"The value at {path} is no absolute http or https address."
            );
            return null;
        }

        private void Wrong(string key, string path, string rule) =>
            Errors[key] = ErrorRegistry.InvalidValue.Error(
                Subsystems.DeviceManagement,
                path,
                $"The value at {path} {rule}."
            );

        private void Unknown(string key, string path) =>
            Errors[key] = ErrorRegistry.UnknownProperty.Error(
                Subsystems.DeviceManagement,
                path,
                $"firmwareUpdate has no property '{path}'."
            );

        private void Missing(string name) =>
            Errors[name] = ErrorRegistry.MissingProperty.Error(
                Subsystems.DeviceManagement,
                name,
                $"firmwareUpdate lacks {name}."
            );
    }
}
