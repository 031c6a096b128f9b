using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeDm.Contracts;
using EdgeDm.HostAccess.Audit;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.HostAccess.Api;

/// <summary>One request, read within its bounds and answered in JSON.</summary>
internal sealed class ApiRequest(HttpContext http, ApiOptions options, CancellationToken stopping)
{
    private const string Json = "application/json";

    /// <summary>Who asks.</summary>
    public Caller Caller => Connection.Caller;

    public ApiConnection Connection { get; } =
        http.Features.Get<ApiConnection>()
        ?? throw new InvalidOperationException("A connection came in by no socket of ours.");

    /// <summary>True for GET.</summary>
    public bool IsRead => HttpMethods.IsGet(http.Request.Method);

    public bool IsPost => HttpMethods.IsPost(http.Request.Method);

    /// <summary>The path's segments behind <c>/v1</c>; null when the path is none of this version.</summary>
    public string[]? Segments
    {
        get
        {
            var path = http.Request.Path.Value ?? "";
            if (path == HostApi.Root)
            {
                return [];
            }
            return path.StartsWith(HostApi.Root + "/", StringComparison.Ordinal)
                ? path[(HostApi.Root.Length + 1)..].Split('/')
                : null;
        }
    }

    /// <summary>What the header <see cref="HostApiVersion.Header"/> says; null when it is not there.</summary>
    public string? ApiVersion =>
        http.Request.Headers.TryGetValue(HostApiVersion.Header, out var said) ? said.ToString() : null;

    /// <summary>Ends when the peer is gone.</summary>
    public CancellationToken Aborted => http.RequestAborted;

    /// <summary>Ends when HostAccess stops: what waits has to answer now.</summary>
    public CancellationToken Stopping => stopping;

    /// <summary>Reads the body; <c>invalidJson</c>, <c>tooLarge</c> or <c>deadlineExceeded</c> when it is none.</summary>
    public async Task<T> ReadAsync<T>(JsonTypeInfo<T> type)
        where T : class
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        limit.CancelAfter(options.ReadTimeout);
        try
        {
            return await JsonSerializer.DeserializeAsync(http.Request.Body, type, limit.Token)
                ?? throw ErrorRegistry.InvalidJson.Refusal("body", "The body is null.");
        }
        catch (JsonException error)
        {
            throw ErrorRegistry.InvalidJson.Refusal(
                string.IsNullOrEmpty(error.Path) ? "body" : error.Path,
                $"The body is no {type.Type.Name}: {error.Message}"
            );
        }
        catch (BadHttpRequestException error) when (error.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            throw ErrorRegistry.TooLarge.Refusal(
                "body",
                $"The body is larger than {options.MaxBodyBytes} bytes.",
                ("limit", options.MaxBodyBytes.ToString(CultureInfo.InvariantCulture))
            );
        }
        catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested)
        {
            throw ErrorRegistry.DeadlineExceeded.Refusal(
                "body",
                $"The body did not come within {options.ReadTimeout.TotalSeconds} s."
            );
        }
    }

    /// <summary>A whole number of the query, or <paramref name="otherwise"/> when it is not there.</summary>
    public long Query(string name, long otherwise, long least, long most)
    {
        if (!http.Request.Query.TryGetValue(name, out var text))
        {
            return otherwise;
        }
        return
            long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            && value >= least
            && value <= most
            ? value
            : throw ErrorRegistry.InvalidValue.Refusal(name, $"{name} must be a whole number from {least} to {most}.");
    }

    /// <summary>Answers.</summary>
    public async Task AnswerAsync<T>(int status, T value, JsonTypeInfo<T> type)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(value, type);
        http.Response.StatusCode = status;
        http.Response.ContentType = Json;
        http.Response.Headers[HostApiVersion.Header] = HostApiVersion.Current.ToString();
        http.Response.ContentLength = json.Length;
        await http.Response.Body.WriteAsync(json, http.RequestAborted);
    }
}
