using System.Globalization;
using System.Net;
using EdgeDm.Contracts;
using EdgeDm.FirmwareDownload.Store;

namespace EdgeDm.FirmwareDownload.Http;

/// <summary>
/// Judges an answer by its status and headers, before its body: is it the missing rest of the same version, a whole file of
/// the right size, or something else.
/// </summary>
internal sealed class AnswerCheck(DownloadOptions options, TimeProvider time)
{
    /// <summary>Throws unless the body may be appended. Begins the part anew when the answer is a whole file.</summary>
    public void Check(HttpResponseMessage response, DownloadSource source, PartialFile part, string context)
    {
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                break;
            case HttpStatusCode.PartialContent:
                break;
            case HttpStatusCode.RequestedRangeNotSatisfiable when part.Length > 0:
                part.Reset(); // The file at the server became shorter: it is another one.
                throw RangeClient.Failed(
                    ErrorRegistry.BadAnswer,
                    context,
                    $"{source.Origin} refuses the rest of the file with 416.",
                    mayRetry: true
                );
            default:
                throw StatusError(response, source, context);
        }
        if (
            response.Content.Headers.ContentEncoding.Any(e => !e.Equals("identity", StringComparison.OrdinalIgnoreCase))
        )
        {
            throw RangeClient.Failed(
                ErrorRegistry.BadAnswer,
                context,
                $"{source.Origin} sends the file with a Content-Encoding that was not asked for.",
                mayRetry: false
            );
        }
        if (response.StatusCode == HttpStatusCode.PartialContent)
        {
            CheckRange(response, source, part, context);
        }
        else
        {
            CheckWhole(response, source, part, context);
        }
    }

    /// <summary>206: exactly the missing end of exactly the version whose beginning the part holds.</summary>
    private static void CheckRange(
        HttpResponseMessage response,
        DownloadSource source,
        PartialFile part,
        string context
    )
    {
        var range = response.Content.Headers.ContentRange;
        var wanted = part.Length;
        if (wanted == 0 || range is not { HasRange: true } || range.From != wanted)
        {
            source.RangesRefused = true;
            throw RangeClient.Failed(
                ErrorRegistry.BadAnswer,
                context,
                $"{source.Origin} answers 206 with another range than asked for.",
                mayRetry: wanted > 0
            );
        }
        var found = VersionOf(response, range.Length);
        var held = part.Entity!;
        if (
            (held.ETag is not null && found.ETag is not null && held.ETag != found.ETag)
            || (held.ETag is null && found.LastModified is not null && held.LastModified != found.LastModified)
            || (held.Size is not null && found.Size is not null && held.Size != found.Size)
        )
        {
            part.Reset();
            throw RangeClient.Failed(
                ErrorRegistry.BadAnswer,
                context,
                $"{source.Origin} answers 206 from another version of the file.",
                mayRetry: true
            );
        }
        CheckSize(range.Length, part.ExpectedSize, source, context);
    }

    /// <summary>200: the whole file, so what is there already goes: the server knows no ranges or has another version now.</summary>
    private void CheckWhole(HttpResponseMessage response, DownloadSource source, PartialFile part, string context)
    {
        var size = response.Content.Headers.ContentLength;
        CheckSize(size, part.GivenSize, source, context);
        if (size > options.MaxFileBytes)
        {
            throw WrongSize(context, source, size.Value, options.MaxFileBytes);
        }
        if (part.Length > 0)
        {
            part.Reset();
        }
        part.Begin(VersionOf(response, size ?? part.ExpectedSize));
    }

    private static void CheckSize(long? size, long? wanted, DownloadSource source, string context)
    {
        if (size is { } said && wanted is { } expected && said != expected)
        {
            throw WrongSize(context, source, said, expected);
        }
    }

    private FetchException StatusError(HttpResponseMessage response, DownloadSource source, string context)
    {
        var status = (int)response.StatusCode;
        var mayRetry = status is 408 or 425 or 429 || status is >= 500 and not (501 or 505);
        // 401 and 403: the token in the address has expired or is another file's.
        var code = status is 401 or 403 ? ErrorRegistry.UrlRefused : ErrorRegistry.HttpStatus;
        return new(
            code.Exception(
                Subsystems.FirmwareDownload,
                context,
                $"{source.Origin} answered {status}.",
                ("status", status.ToString(CultureInfo.InvariantCulture)),
                ("server", source.Origin)
            ),
            mayRetry,
            RetryAfterOf(response)
        );
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        var header = response.Headers.RetryAfter;
        var wish =
            header?.Delta ?? (header?.Date is { } date ? date - (response.Headers.Date ?? time.GetUtcNow()) : null);
        return wish is not { } span ? null
            : span < TimeSpan.Zero ? TimeSpan.Zero
            : span > options.MaxRetryAfter ? options.MaxRetryAfter
            : span;
    }

    private static EntityVersion VersionOf(HttpResponseMessage response, long? size)
    {
        var tag = response.Headers.ETag;
        var modified = response.Content.Headers.LastModified;
        // RFC 9110 8.8.2.2: the date is a strong validator only when the answer is at least a second younger.
        var strong = modified is { } at && response.Headers.Date is { } date && date - at >= TimeSpan.FromSeconds(1);
        return new(tag is { IsWeak: false } ? tag.Tag : null, strong ? modified : null, size);
    }

    private static FetchException WrongSize(string context, DownloadSource source, long said, long expected) =>
        RangeClient.Failed(
            ErrorRegistry.WrongSize,
            context,
            $"The file at {source.Origin} has {said} bytes instead of {expected}.",
            mayRetry: false,
            ("expected", $"{expected}"),
            ("found", $"{said}")
        );
}
