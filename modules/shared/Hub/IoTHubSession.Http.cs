using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using EdgeDm.Hub.Internal;

namespace EdgeDm.Hub;

public sealed partial class IoTHubSession
{
    /// <summary>Most characters of a method's name (edgeHub).</summary>
    public const int MaxMethodNameLength = 100;

    /// <summary>Most characters of a blob's name (Azure Storage).</summary>
    public const int MaxBlobNameLength = 1024;

    /// <summary>Most characters of <see cref="BlobUploadResult.StatusDescription"/> and of a correlation id.</summary>
    public const int MaxBlobTextLength = 1024;

    /// <summary>What a call may take beyond the times that the hub was given.</summary>
    private static readonly TimeSpan HttpMargin = TimeSpan.FromSeconds(15);

    private HubHttp? http;

    /// <summary>
    /// Calls a direct method of a module or device on this gateway, through edgeHub by HTTPS (for modules only, as edgeHub has it).
    /// Takes at most the invocation's two timeouts and 15 s.
    /// </summary>
    /// <param name="target">Whose method.</param>
    /// <param name="methodName">At most <see cref="MaxMethodNameLength"/> characters.</param>
    /// <param name="invocation">Payload and timeouts.</param>
    /// <param name="cancellationToken">Ends the wait; the method may run all the same.</param>
    /// <returns>The method's own answer, whatever its status.</returns>
    /// <exception cref="ArgumentException">Name, payload, id or a timeout is out of its range.</exception>
    /// <exception cref="InvalidOperationException">This session is a device's.</exception>
    /// <exception cref="HubServiceException">The hub refused: 400, 401, 404 the target is not there, 504 it did not answer.</exception>
    /// <exception cref="ConnectFailedException">The hub could not be reached by HTTPS. The session lives on.</exception>
    /// <exception cref="ConnectionLostException">The answer did not come whole, or the session ended.</exception>
    /// <exception cref="TimeoutException">No answer came in time. The session lives on.</exception>
    public ValueTask<MethodResult> InvokeMethodAsync(
        MethodTarget target,
        string methodName,
        MethodInvocation invocation,
        CancellationToken cancellationToken = default
    ) =>
        HubInstruments.IsWatched(HubOperationKind.InvokeMethod)
            ? HubInstruments.WatchAsync(
                this,
                HubOperationKind.InvokeMethod,
                methodName,
                _ => PostMethodAsync(target, methodName, invocation, cancellationToken)
            )
            : PostMethodAsync(target, methodName, invocation, cancellationToken);

    private async ValueTask<MethodResult> PostMethodAsync(
        MethodTarget target,
        string methodName,
        MethodInvocation invocation,
        CancellationToken cancellationToken
    )
    {
        if (ModuleId is null)
        {
            throw new InvalidOperationException("Only a module can call methods.");
        }
        Check(target, methodName, invocation);
        var path = target.ModuleId is { } module
            ? $"twins/{Uri.EscapeDataString(target.DeviceId)}/modules/{Uri.EscapeDataString(module)}/methods"
            : $"twins/{Uri.EscapeDataString(target.DeviceId)}/methods";
        var body = Json(writer =>
        {
            writer.WriteString("methodName", methodName);
            writer.WriteNumber("responseTimeoutInSeconds", (int)invocation.ResponseTimeout.TotalSeconds);
            writer.WriteNumber("connectTimeoutInSeconds", (int)invocation.ConnectTimeout.TotalSeconds);
            writer.WritePropertyName("payload");
            writer.WriteRawValue(invocation.Utf8Json.IsEmpty ? "null"u8 : invocation.Utf8Json.Span);
        });
        var limit = invocation.ConnectTimeout + invocation.ResponseTimeout + HttpMargin;
        var answer = await CallAsync(options.TargetHost, path, body, options.ClientId, limit, cancellationToken);
        return Read(
            answer,
            json =>
            {
                var hasPayload =
                    json.TryGetProperty("payload", out var payload) && payload.ValueKind != JsonValueKind.Null;
                return new MethodResult(
                    json.GetProperty("status").GetInt32(),
                    hasPayload ? JsonMarshal.GetRawUtf8Value(payload).ToArray() : default
                );
            }
        );
    }

    /// <summary>
    /// Asks IoT Hub where a file may be uploaded to (IoT Hub, file upload), by HTTPS at <see cref="HubSessionOptions.HubHostName"/>: edgeHub does not have it. For devices only.
    /// Afterwards tell the outcome by <see cref="NotifyBlobUploadAsync"/>.
    /// </summary>
    /// <param name="blobName">Its name below the device's folder, at most <see cref="MaxBlobNameLength"/> characters.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    /// <exception cref="InvalidOperationException">This session is a module's.</exception>
    /// <inheritdoc cref="InvokeMethodAsync" path="/exception[position()>2]"/>
    public async ValueTask<BlobUploadInfo> GetBlobUploadInfoAsync(
        string blobName,
        CancellationToken cancellationToken = default
    )
    {
        CheckDevice();
        CheckText(nameof(blobName), blobName, MaxBlobNameLength);
        var body = Json(writer => writer.WriteString("blobName", blobName));
        var answer = await CallAsync(options.HubHostName, FilesPath, body, null, BlobLimit, cancellationToken);
        return Read(
            answer,
            json =>
            {
                var name = string.Join('/', Text(json, "blobName").Split('/').Select(Uri.EscapeDataString));
                var store = Text(json, "hostName");
                // With a port where the dev hub may not have the usual one.
                if (
                    !Uri.TryCreate($"https://{store}", UriKind.Absolute, out var host)
                    || !host.Authority.Equals(store, StringComparison.OrdinalIgnoreCase)
                )
                {
                    throw new FormatException("The hostName is no host.");
                }
                var blob = new Uri($"https://{store}/{Uri.EscapeDataString(Text(json, "containerName"))}/{name}");
                var token = Text(json, "sasToken");
                return new BlobUploadInfo(
                    Text(json, "correlationId"),
                    blob,
                    token.StartsWith('?') ? token : "?" + token
                );
            }
        );
    }

    /// <summary>Tells IoT Hub how an upload ended. It takes it once for each <see cref="BlobUploadInfo"/>.</summary>
    /// <param name="result">The outcome; texts of at most <see cref="MaxBlobTextLength"/> characters.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentException">A text is too long, or there is no correlation id.</exception>
    /// <exception cref="InvalidOperationException">This session is a module's.</exception>
    /// <inheritdoc cref="InvokeMethodAsync" path="/exception[position()>2]"/>
    public async ValueTask NotifyBlobUploadAsync(BlobUploadResult result, CancellationToken cancellationToken = default)
    {
        CheckDevice();
        CheckText(nameof(result), result.CorrelationId, MaxBlobTextLength);
        CheckLength(nameof(result), result.StatusDescription ?? "", MaxBlobTextLength);
        var body = Json(writer =>
        {
            writer.WriteString("correlationId", result.CorrelationId);
            writer.WriteBoolean("isSuccess", result.IsSuccess);
            writer.WriteNumber("statusCode", result.StatusCode);
            writer.WriteString("statusDescription", result.StatusDescription ?? "");
        });
        var path = FilesPath + "/notifications";
        await CallAsync(options.HubHostName, path, body, null, BlobLimit, cancellationToken);
    }

    private string FilesPath => $"devices/{Uri.EscapeDataString(DeviceId)}/files";

    private TimeSpan BlobLimit => options.OperationTimeout;

    private async ValueTask<ReadOnlyMemory<byte>> CallAsync(
        string host,
        string path,
        ReadOnlyMemory<byte> body,
        string? edgeModuleId,
        TimeSpan limit,
        CancellationToken cancellationToken
    )
    {
        if (!IsConnected)
        {
            throw EndedError(outcomeUnknown: false);
        }
        using var timeout = new CancellationTokenSource(limit, options.TimeProvider);
        using var any = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, Stopped, cancellationToken);
        try
        {
            var password = await options.ProveAsync(any.Token);
            var answer = await HttpTo(host).PostAsync(path, body, password, edgeModuleId, any.Token);
            return answer.Take();
        }
        catch (Exception error)
            when (any.IsCancellationRequested
                && error is OperationCanceledException or ObjectDisposedException or HubConnectionException
            )
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw IsConnected
                ? new TimeoutException($"The hub did not answer the HTTPS call within {limit.TotalSeconds} s.", error)
                : EndedError(outcomeUnknown: true);
        }
    }

    /// <summary>A session speaks to one host: a module to its gateway, a device to its hub.</summary>
    private HubHttp HttpTo(string host)
    {
        if (Volatile.Read(ref http) is { } known)
        {
            return known;
        }
        var made = new HubHttp(options, host);
        if (Interlocked.CompareExchange(ref http, made, null) is { } other)
        {
            made.Dispose();
            return other;
        }
        Stopped.UnsafeRegister(static made => ((HubHttp)made!).Dispose(), made);
        return made;
    }

    private static void Check(MethodTarget target, string methodName, MethodInvocation invocation)
    {
        OptionsCheck.CheckId(nameof(target), target.DeviceId);
        if (target.ModuleId is { } module)
        {
            OptionsCheck.CheckId(nameof(target), module);
        }
        CheckText(nameof(methodName), methodName, MaxMethodNameLength);
        if (invocation.Utf8Json.Length > MaxMethodPayloadBytes)
        {
            throw new ArgumentException(
                $"The payload has {invocation.Utf8Json.Length} bytes; the limit is {MaxMethodPayloadBytes}."
            );
        }
        CheckSeconds(
            nameof(invocation.ResponseTimeout),
            invocation.ResponseTimeout,
            MethodInvocation.ShortestResponseTimeout
        );
        CheckSeconds(nameof(invocation.ConnectTimeout), invocation.ConnectTimeout, TimeSpan.Zero);
    }

    private static void CheckSeconds(string name, TimeSpan time, TimeSpan least)
    {
        if (time < least || time > MethodInvocation.LongestTimeout || time.Ticks % TimeSpan.TicksPerSecond != 0)
        {
            throw new ArgumentOutOfRangeException(
                name,
                time,
                $"{name} must be whole seconds from {least.TotalSeconds} to {MethodInvocation.LongestTimeout.TotalSeconds}."
            );
        }
    }

    private static void CheckText(string name, string text, int most)
    {
        ArgumentException.ThrowIfNullOrEmpty(text, name);
        CheckLength(name, text, most);
    }

    private static void CheckLength(string name, string text, int most)
    {
        if (text.Length > most)
        {
            throw new ArgumentOutOfRangeException(name, $"{name} has {text.Length} characters; the limit is {most}.");
        }
    }

    private void CheckDevice()
    {
        if (ModuleId is not null)
        {
            throw new InvalidOperationException("Only a device can upload files.");
        }
    }

    private static ReadOnlyMemory<byte> Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        try
        {
            write(writer);
        }
        catch (JsonException error)
        {
            throw new ArgumentException($"The payload is no JSON: {error.Message}", error);
        }
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenMemory;
    }

    /// <summary>Reads a success. What cannot be read is the hub's error, and is not quoted: it may hold a signature.</summary>
    private static T Read<T>(ReadOnlyMemory<byte> answer, Func<JsonElement, T> read)
    {
        const int Succeeded = 200;
        try
        {
            return read(JsonElement.Parse(answer.Span));
        }
        catch (Exception error)
            when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new HubServiceException(Succeeded, $"The hub's answer cannot be read: {error.GetType().Name}.");
        }
    }

    private static string Text(JsonElement json, string name) =>
        json.GetProperty(name).GetString() is { Length: > 0 } text
            ? text
            : throw new FormatException($"There is no {name}.");
}
