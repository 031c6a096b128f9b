using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using EdgeDm.Hosting;

namespace EdgeDm.DevHub.Launching.Containers;

/// <summary>The part of the Docker Engine API that runs modules, over the engine's Unix socket.</summary>
internal sealed partial class DockerEngine : IDisposable
{
    /// <summary>Where engines listen.</summary>
    public const string DefaultEndpoint = "unix:///var/run/docker.sock";

    // Engine 20.10. What is used of it has not changed since; a newer engine may no longer take it, and says what it takes.
    private static readonly Version OldestKnown = new(1, 41);

    private readonly HttpClient http;
    private readonly string endpoint;
    private string version = "";

    private DockerEngine(string endpoint)
    {
        this.endpoint = endpoint;
        // Waiting for a container's end takes as long as it runs.
        http = UnixHttp.CreateClient(endpoint, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Connects, and settles on a version of the API.</summary>
    /// <param name="endpoint">For example <see cref="DefaultEndpoint"/>.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <exception cref="MisconfiguredException">No engine answers there.</exception>
    public static async Task<DockerEngine> ConnectAsync(string endpoint, CancellationToken cancellationToken)
    {
        var engine = new DockerEngine(endpoint);
        try
        {
            var answer = await engine.AskAsync(
                HttpMethod.Get,
                "/version",
                null,
                DockerJson.Default.EngineVersion,
                cancellationToken
            );
            var oldest = Version.TryParse(answer.MinAPIVersion, out var taken) ? taken : OldestKnown;
            engine.version = "/v" + (oldest > OldestKnown ? oldest : OldestKnown);
            return engine;
        }
        catch (IOException error)
        {
            engine.Dispose();
            throw new MisconfiguredException(
                $"No Docker Engine answers at {endpoint}: {error.Message} Start it, let this user use it (group docker), or launch the modules as processes."
            );
        }
    }

    /// <summary>Makes a bridge network, labelled with its own name, unless it is there; tells the address that this machine has in it.</summary>
    public async Task<IPAddress> EnsureNetworkAsync(string name, CancellationToken cancellationToken)
    {
        var body = new JsonObject
        {
            ["Name"] = name,
            ["Driver"] = "bridge",
            ["CheckDuplicate"] = true,
            ["Labels"] = Labelled(name),
        };
        try
        {
            await SendAsync(HttpMethod.Post, "/networks/create", body, cancellationToken);
        }
        catch (DockerException error) when (error.Status == HttpStatusCode.Conflict) { }
        var network = await AskAsync(
            HttpMethod.Get,
            "/networks/" + Escape(name),
            null,
            DockerJson.Default.Network,
            cancellationToken
        );
        return
            network.Ipam?.Config?.Select(config => config.Gateway).FirstOrDefault(gateway => gateway is not null)
                is { } text
            ? IPAddress.Parse(text)
            : throw new IOException($"The network '{name}' has no gateway address.");
    }

    /// <summary>Removes a network; nothing when it is not there.</summary>
    public Task RemoveNetworkAsync(string name, CancellationToken cancellationToken) =>
        IfThereAsync(SendAsync(HttpMethod.Delete, "/networks/" + Escape(name), null, cancellationToken));

    /// <summary>Makes a volume unless it is there.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="owner">Value of its label.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    public Task EnsureVolumeAsync(string name, string owner, CancellationToken cancellationToken) =>
        SendAsync(
            HttpMethod.Post,
            "/volumes/create",
            new JsonObject { ["Name"] = name, ["Labels"] = Labelled(owner) },
            cancellationToken
        );

    /// <summary>Names of the volumes with an owner's label.</summary>
    public async Task<IReadOnlyList<string>> VolumesAsync(string owner, CancellationToken cancellationToken) =>
        [
            .. (
                await AskAsync(
                    HttpMethod.Get,
                    "/volumes?filters=" + OwnedBy(owner),
                    null,
                    DockerJson.Default.VolumeList,
                    cancellationToken
                )
            ).Volumes?.Select(volume => volume.Name) ?? [],
        ];

    /// <summary>Removes a volume and what it holds; nothing when it is not there.</summary>
    public Task RemoveVolumeAsync(string name, CancellationToken cancellationToken) =>
        IfThereAsync(SendAsync(HttpMethod.Delete, "/volumes/" + Escape(name), null, cancellationToken));

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    private async Task<T> AskAsync<T>(
        HttpMethod method,
        string path,
        JsonObject? body,
        JsonTypeInfo<T> type,
        CancellationToken cancellationToken
    ) => await ReadAsync(await RequestAsync(method, version + path, body, cancellationToken), type, cancellationToken);

    private async Task SendAsync(
        HttpMethod method,
        string path,
        JsonObject? body,
        CancellationToken cancellationToken
    ) => (await RequestAsync(method, version + path, body, cancellationToken)).Dispose();

    private async Task<HttpResponseMessage> RequestAsync(
        HttpMethod method,
        string path,
        JsonObject? body,
        CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        }
        HttpResponseMessage answer;
        try
        {
            answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // Behind it is what waits for disks.
        }
        catch (HttpRequestException error)
        {
            throw new IOException($"The Docker Engine at {endpoint} cannot be reached: {error.Message}", error);
        }
        // 304: a container that is to be started runs.
        if (answer.IsSuccessStatusCode || answer.StatusCode == HttpStatusCode.NotModified)
        {
            return answer;
        }
        using (answer)
        {
            throw new DockerException(answer.StatusCode, await ReasonAsync(answer, cancellationToken));
        }
    }

    private static async Task<T> ReadAsync<T>(
        HttpResponseMessage answer,
        JsonTypeInfo<T> type,
        CancellationToken cancellationToken
    )
    {
        using (answer)
        {
            try
            {
                await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
                return await JsonSerializer.DeserializeAsync(body, type, cancellationToken)
                    ?? throw new IOException("The Docker Engine's answer is null.");
            }
            catch (Exception error) when (error is JsonException or HttpRequestException)
            {
                throw new IOException($"The Docker Engine's answer cannot be read: {error.Message}", error);
            }
        }
    }

    private static async Task<string> ReasonAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var text = await answer.Content.ReadAsStringAsync(cancellationToken);
        try
        {
            return JsonSerializer.Deserialize(text, DockerJson.Default.Refusal)?.Message ?? text;
        }
        catch (JsonException)
        {
            return text;
        }
    }

    private static async Task IfThereAsync(Task request)
    {
        try
        {
            await request;
        }
        catch (DockerException error) when (error.Status == HttpStatusCode.NotFound) { }
    }

    private static JsonObject Labelled(string owner) => new() { [ContainerNames.LabelName] = owner };

    private static string OwnedBy(string owner) =>
        Escape(
            new JsonObject { ["label"] = new JsonArray((JsonNode)$"{ContainerNames.LabelName}={owner}") }.ToJsonString()
        );

    private static string Escape(string text) => Uri.EscapeDataString(text);
}

/// <summary>The engine refuses.</summary>
/// <param name="status">HTTP status.</param>
/// <param name="message">The engine's words.</param>
internal sealed class DockerException(HttpStatusCode status, string message)
    : IOException(string.Create(CultureInfo.InvariantCulture, $"Docker says: {message} ({(int)status})"))
{
    /// <summary>HTTP status.</summary>
    public HttpStatusCode Status => status;
}
