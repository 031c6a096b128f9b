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
    private volatile HostAgreement? agreement;

    /// <summary>Connects on first use.</summary>
    /// <param name="endpoint">For example <c>unix:/run/edgedm/verbs/host-access.sock</c>.</param>
    /// <param name="time">The clock.</param>
    public HostAccessClient(string endpoint, TimeProvider time)
    {
        http = UnixHttp.CreateClient(endpoint);
        http.Timeout = TimeSpan.FromSeconds(60); // Longer than the longest long-poll, 30 s.
        http.DefaultRequestHeaders.Add(HostApiVersion.Header, HostApiVersion.Current.ToString());
        this.endpoint = endpoint;
        this.time = time;
    }

    /// <summary>Rest between two tries while HostAccess does not answer.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Who answers and whether both understand each other; null before the first answer.</summary>
    public HostAgreement? Agreement => agreement;

    /// <summary><see cref="Agreement"/> is another one. Raised on the asking thread.</summary>
    public event Action? AgreementChanged;

    /// <summary>Asks who answers. Works with every version.</summary>
    public async Task<HostAgreement> AgreeAsync(CancellationToken cancellationToken)
    {
        var (info, spoken) = await AskAsync(
            HttpMethod.Get,
            HostApi.Root,
            null,
            ContractsJson.Default.HostAccessInfo,
            cancellationToken
        );
        var agreed = HostAgreement.With(info.Version, spoken);
        var isNews = agreed != agreement;
        agreement = agreed;
        if (isNews)
        {
            AgreementChanged?.Invoke();
        }
        return agreed;
    }

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

    public Task<RootListStatus> GetRootsAsync(CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, HostApi.Roots, null, ContractsJson.Default.RootListStatus, cancellationToken);

    public Task<RootListStatus> ReplaceRootsAsync(RootListSubmission request, CancellationToken cancellationToken) =>
        SendAsync(
            HttpMethod.Post,
            HostApi.Roots,
            JsonContent.Create(request, ContractsJson.Default.RootListSubmission),
            ContractsJson.Default.RootListStatus,
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
    /// <param name="call">What to ask.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="waits">
    /// Given for what cannot be left half-way: a HostAccess of a version too far away is waited for as well, until the right one is
    /// deployed. Told why, and null when it goes on.
    /// </param>
    public async Task<T> UntilAnsweredAsync<T>(
        Func<CancellationToken, Task<T>> call,
        CancellationToken cancellationToken,
        Action<ErrorObject?>? waits = null
    )
    {
        while (true)
        {
            try
            {
                var answer = await call(cancellationToken);
                waits?.Invoke(null);
                return answer;
            }
            catch (EdgeDmException error) when (IsWorthWaiting(error, waits is not null))
            {
                if (error.Error.Code == ErrorRegistry.HostApiVersion.Code)
                {
                    waits?.Invoke(error.Error);
                }
                await Task.Delay(RetryDelay, time, cancellationToken);
            }
        }
    }

    public void Dispose() => http.Dispose();

    private static bool IsWorthWaiting(EdgeDmException error, bool forVersion) =>
        error.Error.Code == ErrorRegistry.HostAccessUnavailable.Code
        || (forVersion && error.Error.Code == ErrorRegistry.HostApiVersion.Code);

    /// <summary>Asks only whom it understands: HostAccess must not act on what it may have read otherwise than it was meant.</summary>
    private async Task<T> SendAsync<T>(
        HttpMethod method,
        string path,
        HttpContent? content,
        JsonTypeInfo<T> type,
        CancellationToken cancellationToken
    )
    {
        var agreed = agreement is { Error: null } known ? known : await AgreeAsync(cancellationToken);
        if (agreed.Error is { } error)
        {
            throw new EdgeDmException(error);
        }
        var (answer, spoken) = await AskAsync(method, path, content, type, cancellationToken);
        if (spoken != agreed.ApiVersion)
        {
            // Another program took its place in between: whether it understood, the next question finds out.
            Forget();
        }
        return answer;
    }

    /// <summary>The next question asks first who answers.</summary>
    private void Forget() => agreement = null;

    private async Task<(T Answer, HostApiVersion Spoken)> AskAsync<T>(
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
                ? (JsonSerializer.Deserialize(body, answer)!, SpokenBy(response))
                : throw Refusal(response.StatusCode, body);
        }
        catch (Exception error) when (IsAbsence(error, cancellationToken))
        {
            Forget(); // Who comes back may be another version.
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

    private static HostApiVersion SpokenBy(HttpResponseMessage response)
    {
        var said = response.Headers.TryGetValues(HostApiVersion.Header, out var values) ? values.First() : null;
        return HostApiVersion.TryParse(said, out var version) ? version : new(0, 0);
    }

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
