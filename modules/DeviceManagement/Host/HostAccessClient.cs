using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeDm.Contracts;
using EdgeDm.Hosting;

namespace EdgeDm.DeviceManagement.Host;

/// <summary>
/// HostAccess's interface over its socket. A refusal is an <see cref="EdgeDmException"/> with HostAccess's own error;
/// when it does not answer, with <c>hostAccessUnavailable</c>.
/// </summary>
internal sealed class HostAccessClient : IDisposable
{
    private readonly HttpClient http;
    private readonly TimeProvider time;
    private readonly string endpoint;

    /// <summary>Connects on first use.</summary>
    /// <param name="endpoint">For example <c>unix:/run/edgedm/verbs/host-access.sock</c>.</param>
    /// <param name="time">The clock.</param>
    public HostAccessClient(string endpoint, TimeProvider time)
    {
        http = UnixHttp.CreateClient(endpoint);
        http.Timeout = TimeSpan.FromSeconds(60); // Longer than the longest long-poll, 30 s.
        this.endpoint = endpoint;
        this.time = time;
    }

    /// <summary>Rest between two tries while HostAccess does not answer.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    public Task<HostInventory> GetInventoryAsync(CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, HostApi.Inventory, null, ContractsJson.Default.HostInventory, cancellationToken);

    public Task<VerifiedUpdate> VerifyAsync(UpdateVerification request, CancellationToken cancellationToken) =>
        SendAsync(
            HttpMethod.Post,
            HostApi.VerifyUpdate,
            JsonContent.Create(request, ContractsJson.Default.UpdateVerification),
            ContractsJson.Default.VerifiedUpdate,
            cancellationToken
        );

    public Task<UpdateStatus> SubmitAsync(UpdateSubmission request, CancellationToken cancellationToken) =>
        SendAsync(
            HttpMethod.Post,
            HostApi.Updates,
            JsonContent.Create(request, ContractsJson.Default.UpdateSubmission),
            ContractsJson.Default.UpdateStatus,
            cancellationToken
        );

    /// <summary>Waits up to <paramref name="waitSeconds"/> for a revision above <paramref name="afterRevision"/>.</summary>
    public Task<UpdateStatus> GetUpdateAsync(
        string commandId,
        long? afterRevision,
        int waitSeconds,
        CancellationToken cancellationToken
    ) =>
        SendAsync(
            HttpMethod.Get,
            HostApi.Update(commandId, afterRevision, waitSeconds),
            null,
            ContractsJson.Default.UpdateStatus,
            cancellationToken
        );

    public Task<UpdateStatus> CancelAsync(string commandId, CancellationToken cancellationToken) =>
        SendAsync(
            HttpMethod.Post,
            HostApi.CancelUpdate(commandId),
            null,
            ContractsJson.Default.UpdateStatus,
            cancellationToken
        );

    public Task<UpdateStatus> PostEvidenceAsync(
        string commandId,
        HealthEvidence evidence,
        CancellationToken cancellationToken
    ) =>
        SendAsync(
            HttpMethod.Post,
            HostApi.Evidence(commandId),
            JsonContent.Create(evidence, ContractsJson.Default.HealthEvidence),
            ContractsJson.Default.UpdateStatus,
            cancellationToken
        );

    public Task<RebootStatus> RebootAsync(RebootRequest request, CancellationToken cancellationToken) =>
        SendAsync(
            HttpMethod.Post,
            HostApi.Reboot,
            JsonContent.Create(request, ContractsJson.Default.RebootRequest),
            ContractsJson.Default.RebootStatus,
            cancellationToken
        );

    public Task<RebootStatus> GetRebootAsync(string commandId, CancellationToken cancellationToken) =>
        SendAsync(
            HttpMethod.Get,
            HostApi.RebootCommand(commandId),
            null,
            ContractsJson.Default.RebootStatus,
            cancellationToken
        );

    /// <summary>
    /// Tries until HostAccess answers: it may be restarting, or the host be going down. Every verb takes an id, so a
    /// second try never acts twice.
    /// </summary>
    public async Task<T> UntilAnsweredAsync<T>(
        Func<CancellationToken, Task<T>> call,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            try
            {
                return await call(cancellationToken);
            }
            catch (EdgeDmException error) when (error.Error.Code == ErrorRegistry.HostAccessUnavailable.Code)
            {
                await Task.Delay(RetryDelay, time, cancellationToken);
            }
        }
    }

    public void Dispose() => http.Dispose();

    private async Task<T> SendAsync<T>(
        HttpMethod method,
        string path,
        HttpContent? content,
        JsonTypeInfo<T> answer,
        CancellationToken cancellationToken
    )
    {
        try
        {
            using var request = new HttpRequestMessage(method, path) { Content = content };
            using var response = await http.SendAsync(request, cancellationToken);
            var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            return response.IsSuccessStatusCode
                ? JsonSerializer.Deserialize(body, answer)!
                : throw Refusal(response.StatusCode, body);
        }
        catch (Exception error) when (IsAbsence(error, cancellationToken))
        {
            throw new EdgeDmException(
                ErrorRegistry.HostAccessUnavailable.Error(
                    Subsystems.DeviceManagement,
                    "HostAccess",
                    $"HostAccess does not answer at {endpoint}."
                ),
                error
            );
        }
    }

    private static bool IsAbsence(Exception error, CancellationToken cancellationToken) =>
        error is HttpRequestException or SocketException or IOException or JsonException
        || (error is TaskCanceledException && !cancellationToken.IsCancellationRequested);

    private static EdgeDmException Refusal(HttpStatusCode status, byte[] body)
    {
        try
        {
            if (JsonSerializer.Deserialize(body, ContractsJson.Default.ErrorObject) is { } error)
            {
                return new(error);
            }
        }
        catch (JsonException)
        {
            // Not HostAccess's words (a limit of the server below it): told by its status.
        }
        return ErrorRegistry.Internal.Exception(
            Subsystems.HostAccess,
            "HTTP",
            $"HostAccess answered {(int)status} without an error object.",
            ("status", $"{(int)status}")
        );
    }
}
