using EdgeDm.Contracts;

namespace EdgeDm.FirmwareDownload.Http;

/// <summary>One address of a file and what was learnt about it.</summary>
internal sealed class DownloadSource
{
    private DownloadSource(Uri address) => Address = address;

    /// <summary>The address. May carry a token: never logged.</summary>
    public Uri Address { get; }

    /// <summary>Scheme, host and port: all that a log line or an error may tell.</summary>
    public string Origin => OriginOf(Address);

    /// <summary>The server answered a range wrongly; ask for the whole file.</summary>
    public bool RangesRefused { get; set; }

    /// <summary>Not before this monotonic time (<c>Retry-After</c>).</summary>
    public long NotBefore { get; set; }

    /// <summary>Another try of this address is useless.</summary>
    public bool IsFinal { get; set; }

    /// <summary>What went wrong last.</summary>
    public ErrorObject? LastError { get; set; }

    /// <summary>Checks an address. Throws <c>invalidUrl</c>, without quoting it.</summary>
    public static DownloadSource Parse(string url, DownloadOptions options, string context)
    {
        if (
            url is null
            || url.Length > options.MaxUrlLength
            || !Uri.TryCreate(url, UriKind.Absolute, out var address)
            || !IsWeb(address)
            || address.UserInfo.Length > 0
        )
        {
            throw ErrorRegistry.InvalidUrl.Exception(
                Subsystems.FirmwareDownload,
                context,
                $"An address of this file is no http or https address without user name of at most {options.MaxUrlLength} characters."
            );
        }
        return new(address);
    }

    /// <summary>True for http and https.</summary>
    public static bool IsWeb(Uri address) =>
        address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps;

    /// <summary>Scheme, host and port.</summary>
    public static string OriginOf(Uri address) => address.GetLeftPart(UriPartial.Authority);
}

/// <summary>An attempt at one address failed.</summary>
/// <param name="error">As it would be told.</param>
/// <param name="mayRetry">Another try of the same address may go better.</param>
/// <param name="retryAfter">The server's wish.</param>
internal sealed class FetchException(EdgeDmException error, bool mayRetry, TimeSpan? retryAfter = null)
    : Exception(error.Message, error)
{
    /// <summary>As it would be told.</summary>
    public ErrorObject Error => ((EdgeDmException)InnerException!).Error;

    /// <summary>Another try of the same address may go better.</summary>
    public bool MayRetry => mayRetry;

    /// <summary>The server's wish.</summary>
    public TimeSpan? RetryAfter => retryAfter;
}
