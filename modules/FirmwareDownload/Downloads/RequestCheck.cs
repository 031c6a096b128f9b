using EdgeDm.Contracts;
using EdgeDm.FirmwareDownload.Http;

namespace EdgeDm.FirmwareDownload.Downloads;

/// <summary>What a request must be before anything is fetched.</summary>
internal static class RequestCheck
{
    private const int DigestLength = 64;

    /// <summary>Throws the first thing that is wrong, naming its path, never an address.</summary>
    public static void Check(DownloadRequest request, DownloadOptions options)
    {
        if (request.BundleUrl is { } bundle)
        {
            _ = DownloadSource.Parse(bundle, options, "bundleUrl");
            Require(request.Files.Length == 0, "files", "A request names either files or a bundle.");
            return;
        }
        Require(request.Files.Length > 0, "files", "The request names no file.");
        if (request.Files.Length > options.MaxFiles)
        {
            throw TooLarge("files", $"The request names {request.Files.Length} files.", options.MaxFiles);
        }
        foreach (var file in request.Files)
        {
            CheckFile(file, options);
        }
        var ids = request.Files.DistinctBy(f => f.FileId, StringComparer.Ordinal).Count();
        Require(ids == request.Files.Length, "files", "Two files have the same id.");
    }

    private static void CheckFile(DownloadFile file, DownloadOptions options)
    {
        Require(file.FileId.Length > 0, "files", "A file has no id.");
        Require(
            file.Sha256.Length == DigestLength && file.Sha256.All(char.IsAsciiHexDigitLower),
            file.FileId,
            "The file's SHA-256 is not 64 lower-case hexadecimal digits."
        );
        Require(file.SizeInBytes >= 0, file.FileId, "The file's size is negative.");
        if (file.SizeInBytes > options.MaxFileBytes)
        {
            throw TooLarge(file.FileId, $"The file has {file.SizeInBytes} bytes.", options.MaxFileBytes);
        }
        if (file.Urls.Length == 0)
        {
            throw ErrorRegistry.MissingUrl.Exception(
                Subsystems.FirmwareDownload,
                file.FileId,
                "The file has no address."
            );
        }
        if (file.Urls.Length > options.MaxUrlsPerFile)
        {
            throw TooLarge(file.FileId, $"The file has {file.Urls.Length} addresses.", options.MaxUrlsPerFile);
        }
        foreach (var url in file.Urls)
        {
            _ = DownloadSource.Parse(url, options, file.FileId);
        }
    }

    private static void Require(bool holds, string context, string what)
    {
        if (!holds)
        {
            throw ErrorRegistry.InvalidValue.Exception(Subsystems.FirmwareDownload, context, what);
        }
    }

    private static EdgeDmException TooLarge(string context, string what, long limit) =>
        ErrorRegistry.TooLarge.Exception(
            Subsystems.FirmwareDownload,
            context,
            what,
            ("limit", limit.ToString(System.Globalization.CultureInfo.InvariantCulture))
        );
}
