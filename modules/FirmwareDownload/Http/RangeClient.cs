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
    private readonly AnswerCheck check = new(options, time);

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
            check.Check(response, source, part, context);
            await CopyAsync(response, part, context, received, watch);
        }
        catch (OperationCanceledException) when (watch.Stalled && !cancel.IsCancellationRequested)
        {
            throw Failed(
                ErrorRegistry.Stalled,
                context,
                $"{source.Origin} sent less than {options.LowSpeedBytesPerSecond} bytes/s for {options.StallWindow.TotalSeconds:0.###} s.",
                mayRetry: true,
                ("bytesPerSecond", $"{options.LowSpeedBytesPerSecond}"),
                ("seconds", $"{options.StallWindow.TotalSeconds:0.###}"),
                ("server", source.Origin)
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
                mayRetry: true,
                ("server", source.Origin),
                ("reason", ReasonOf(error))
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
                mayRetry: false,
                ("limit", $"{options.MaxRedirects}"),
                ("server", source.Origin)
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
                var sent = part.Length + read;
                part.Reset(); // Not the file that was asked for, from its first byte on.
                throw Failed(
                    ErrorRegistry.WrongSize,
                    context,
                    $"The server sent more than the {most} bytes that the file has.",
                    mayRetry: false,
                    ("expected", $"{most}"),
                    ("found", $"{sent} or more")
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
                mayRetry: wasRange,
                ("expected", $"{expected}"),
                ("found", $"{sent}")
            );
        }
        part.End();
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

    /// <summary>An attempt's failure in the registry's words.</summary>
    internal static FetchException Failed(
        ErrorCode code,
        string context,
        string what,
        bool mayRetry,
        params (string Name, string Value)[] parameters
    ) => new(code.Exception(Subsystems.FirmwareDownload, context, what, parameters), mayRetry);
}
