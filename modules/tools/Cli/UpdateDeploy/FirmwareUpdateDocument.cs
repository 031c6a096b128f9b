using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>The desired group <c>firmwareUpdate</c>, from what the operator named.</summary>
internal static class FirmwareUpdateDocument
{
    public static async Task<JsonObject> MakeAsync(UpdateDeployOptions options, CancellationToken cancellationToken)
    {
        var group =
            IsAddress(options.Update) ? Package(Address(options.Update, "The bundle's address"))
            : Directory.Exists(options.Update) ? await FilesAsync(options, cancellationToken)
            : File.Exists(options.Update) ? Package(Join(BaseUrlOf(options), Path.GetFileName(options.Update)))
            : throw new CliException(
                ExitCodes.Usage,
                $"'{options.Update}' is no folder, no file and no http or https address."
            );
        if (options.Workflow is { } workflow)
        {
            group["workflow"] = new JsonObject { ["id"] = workflow };
        }
        return group;
    }

    private static JsonObject Package(string address) => new() { ["packageUri"] = address };

    private static async Task<JsonObject> FilesAsync(UpdateDeployOptions options, CancellationToken cancellationToken)
    {
        var baseUrl = BaseUrlOf(options);
        var update = await PublishedUpdate.LoadAsync(options.Update, cancellationToken);
        update.RequireFiles();
        var urls = new JsonObject();
        foreach (var file in update.Files)
        {
            urls[file.FileId] = Join(baseUrl, file.FileName);
        }
        return new()
        {
            ["updateManifest"] = update.ManifestText,
            ["updateManifestSignature"] = update.Jws,
            ["fileUrls"] = urls,
        };
    }

    private static string BaseUrlOf(UpdateDeployOptions options) =>
        options.BaseUrl is { } url
            ? Address(url, "--base-url")
            : throw new CliException(
                ExitCodes.Usage,
                $"Say where the gateway fetches the files: --base-url, or {CliEnvironment.BaseUrl}."
            );

    /// <summary>The address of a file below a base; the base's query, for example a SAS, stays at the end.</summary>
    internal static string Join(string baseUrl, string fileName)
    {
        var query = baseUrl.IndexOf('?', StringComparison.Ordinal);
        var (path, rest) = query < 0 ? (baseUrl, "") : (baseUrl[..query], baseUrl[query..]);
        return $"{path.TrimEnd('/')}/{Uri.EscapeDataString(fileName)}{rest}";
    }

    private static bool IsAddress(string text) =>
        text.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
        || text.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    private static string Address(string text, string what) =>
        // The text may carry a token and stays out of the message.
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme is "http" or "https")
        && uri.Fragment.Length == 0
            ? text
            : throw new CliException(ExitCodes.Usage, $"{what} is no absolute http or https address.");
}
