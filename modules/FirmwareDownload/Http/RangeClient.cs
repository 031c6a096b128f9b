using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using EdgeDm.Contracts;
using EdgeDm.FirmwareDownload.Store;

namespace EdgeDm.FirmwareDownload.Http;

/// <summary>
/// One attempt: asks one address for what a part still lacks and appends it. Whatever a server, a proxy or a captive
/// portal answers ends as more bytes of the same file version, or as a <see cref="FetchException"/>.
/// </summary>
internal sealed class RangeClient(HttpMessageInvoker http, DownloadOptions options, TimeProvider time)
{
    /// <summary>Fetches until the part is whole.</summary>
    /// <param name="source">Where from.</param>
    /// <param name="part">Where to.</param>
    /// <param name="context">For errors: the file's id.</param>
    /// <param name="received">Told of every read from the network.</param>
    /// <param name="cancel">Ends it; what is written stays.</param>
    public async Task FetchAsync(
        DownloadSource source,
        PartialFile part,
        string context,
        Action<int> received,
        CancellationToken cancel
    )
    {
        using var watch = new StallWatch(options, time, cancel);
        try
        {
            if (part.Length > 0 && (source.RangesRefused || part.Entity is not { CanResume: true }))
            {
                part.Reset();
            }
            using var response = await SendAsync(source, part, context, watch);
            CheckAnswer(response, source, part, context);
            await CopyAsync(response, part, context, received, watch);
        }
        catch (OperationCanceledException) when (watch.Stalled && !cancel.IsCancellationRequested)
        {
            throw Failed(
                ErrorRegistry.Stalled,
                context,
                $"{source.Origin} sent less than {options.LowSpeedBytesPerSecond} bytes/s for {options.StallWindow.TotalSeconds:0.###} s.",
                mayRetry: true
            );
        }
        catch (Exception error)
            when (error is HttpRequestException or IOException
                || (error is OperationCanceledException && !cancel.IsCancellationRequested)
            )
        {
            throw Failed(
                ErrorRegistry.ConnectionFailed,
                context,
                $"The connection to {source.Origin} failed ({ReasonOf(error)}).",
                mayRetry: true
            );
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        DownloadSource source,
        PartialFile part,
        string context,
        StallWatch watch
    )
    {
        var address = source.Address;
        for (var redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.AcceptEncoding.ParseAdd("identity"); // Digest and ranges are over the file, not over a compressed form.
            if (part.Length > 0)
            {
                request.Headers.Range = new(part.Length, null);
                request.Headers.IfRange = part.Entity!.ETag is { } tag
                    ? new(new EntityTagHeaderValue(tag))
                    : new(part.Entity.LastModified!.Value);
            }
            watch.Waiting();
            var response = await http.SendAsync(request, watch.Token);
            watch.Received(0);
            if (!IsRedirect(response.StatusCode) || response.Headers.Location is not { } location)
            {
                return response;
            }
            response.Dispose();
            address = Redirected(address, location, redirects, source, context);
        }
    }

    private Uri Redirected(Uri address, Uri location, int redirects, DownloadSource source, string context)
    {
        if (redirects >= options.MaxRedirects)
        {
            throw Failed(
                ErrorRegistry.TooManyRedirects,
                context,
                $"{source.Origin} redirects more than {options.MaxRedirects} times.",
                mayRetry: false
            );
        }
        var next = location.IsAbsoluteUri ? location : new Uri(address, location);
        if (!DownloadSource.IsWeb(next) || (address.Scheme == Uri.UriSchemeHttps && next.Scheme != Uri.UriSchemeHttps))
        {
            throw Failed(
                ErrorRegistry.InsecureRedirect,
                context,
                $"{source.Origin} redirects from {address.Scheme} to {next.Scheme}.",
                mayRetry: false
            );
        }
        return next;
    }

    private void CheckAnswer(HttpResponseMessage response, DownloadSource source, PartialFile part, string context)
    {
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                break;
            case HttpStatusCode.PartialContent:
                break;
            case HttpStatusCode.RequestedRangeNotSatisfiable when part.Length > 0:
                part.Reset(); // The file at the server became shorter: it is another one.
                throw Failed(
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
            throw Failed(
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
            throw Failed(
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
            throw Failed(
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

    private async Task CopyAsync(
        HttpResponseMessage response,
        PartialFile part,
        string context,
        Action<int> received,
        StallWatch watch
    )
    {
        var most = part.ExpectedSize ?? options.MaxFileBytes;
        await using var body = await response.Content.ReadAsStreamAsync(watch.Token);
        while (true)
        {
            watch.Waiting();
            var read = await body.ReadAsync(part.Buffer, watch.Token);
            watch.Received(read);
            if (read == 0)
            {
                break;
            }
            received(read);
            if (part.Length + read > most)
            {
                part.Reset(); // Not the file that was asked for, from its first byte on.
                throw Failed(
                    ErrorRegistry.WrongSize,
                    context,
                    $"The server sent more than the {most} bytes that the file has.",
                    mayRetry: false
                );
            }
            part.Append(part.Buffer.Span[..read]);
        }
        if (part.ExpectedSize is { } expected && part.Length != expected)
        {
            // The body ended in order, so this is what the server believes the file to be. Its length was not announced.
            var sent = part.Length;
            var wasRange = response.StatusCode == HttpStatusCode.PartialContent;
            if (!wasRange)
            {
                part.Reset();
            }
            throw Failed(
                ErrorRegistry.WrongSize,
                context,
                $"The server ended the file after {sent} of {expected} bytes.",
                mayRetry: wasRange
            );
        }
        part.End();
    }

    private FetchException StatusError(HttpResponseMessage response, DownloadSource source, string context)
    {
        var status = (int)response.StatusCode;
        var mayRetry = status is 408 or 425 or 429 || status is >= 500 and not (501 or 505);
        return new(
            ErrorRegistry.HttpStatus.Exception(
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

    private static bool IsRedirect(HttpStatusCode status) => (int)status is 301 or 302 or 303 or 307 or 308;

    private static string ReasonOf(Exception error) =>
        error switch
        {
            HttpRequestException http => http.HttpRequestError.ToString(),
            HttpIOException http => http.HttpRequestError.ToString(),
            OperationCanceledException => "timed out",
            _ => error.GetType().Name,
        };

    private static FetchException WrongSize(string context, DownloadSource source, long said, long expected) =>
        Failed(
            ErrorRegistry.WrongSize,
            context,
            $"The file at {source.Origin} has {said} bytes instead of {expected}.",
            mayRetry: false
        );

    private static FetchException Failed(ErrorCode code, string context, string what, bool mayRetry) =>
        new(code.Exception(Subsystems.FirmwareDownload, context, what), mayRetry);
}
