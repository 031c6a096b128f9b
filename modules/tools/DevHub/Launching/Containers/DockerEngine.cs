using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using EdgeDm.Hosting;

namespace EdgeDm.DevHub.Launching.Containers;

/// <summary>The part of the Docker Engine API that runs modules, over the engine's Unix socket.</summary>
internal sealed class DockerEngine : IDisposable
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

    /// <summary>Ids of the containers with an owner's label, running or not.</summary>
    public async Task<IReadOnlyList<string>> ContainersAsync(string owner, CancellationToken cancellationToken) =>
        [
            .. (
                await AskAsync(
                    HttpMethod.Get,
                    "/containers/json?all=1&filters=" + OwnedBy(owner),
                    null,
                    DockerJson.Default.ListedContainerArray,
                    cancellationToken
                )
            ).Select(container => container.Id),
        ];

    /// <summary>Makes a container and returns its id.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="options">As <c>createOptions</c>, with the image.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    public async Task<string> CreateAsync(string name, JsonObject options, CancellationToken cancellationToken) =>
        (
            await AskAsync(
                HttpMethod.Post,
                "/containers/create?name=" + Escape(name),
                options,
                DockerJson.Default.MadeContainer,
                cancellationToken
            )
        ).Id;

    /// <summary>Starts a container; nothing when it runs.</summary>
    public Task StartAsync(string container, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"/containers/{Escape(container)}/start", null, cancellationToken);

    /// <summary>Sends a signal to a container's first process. False when it does not run.</summary>
    public async Task<bool> SignalAsync(string container, Signal signal, CancellationToken cancellationToken)
    {
        try
        {
            var path = $"/containers/{Escape(container)}/kill?signal={(int)signal}";
            await SendAsync(HttpMethod.Post, path, null, cancellationToken);
            return true;
        }
        catch (DockerException error) when (error.Status is HttpStatusCode.Conflict or HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>Kills and removes a container with its anonymous volumes; nothing when it is not there.</summary>
    public Task RemoveAsync(string container, CancellationToken cancellationToken) =>
        IfThereAsync(
            SendAsync(HttpMethod.Delete, $"/containers/{Escape(container)}?force=1&v=1", null, cancellationToken)
        );

    /// <summary>How a container is; null when it is not there.</summary>
    public async Task<ContainerState?> InspectAsync(string container, CancellationToken cancellationToken)
    {
        try
        {
            var path = $"/containers/{Escape(container)}/json";
            return (
                await AskAsync(HttpMethod.Get, path, null, DockerJson.Default.InspectedContainer, cancellationToken)
            ).State;
        }
        catch (DockerException error) when (error.Status == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>
    /// Output of a container from now on, in the order of writing, until it ends. Attach before it is started, and nothing is missed.
    /// </summary>
    /// <param name="container">Which.</param>
    /// <param name="hasTerminal">Then it is bare bytes.</param>
    /// <param name="cancellationToken">Ends the request, not the stream.</param>
    public async Task<Stream> AttachAsync(string container, bool hasTerminal, CancellationToken cancellationToken)
    {
        var path = $"/containers/{Escape(container)}/attach?stream=1&stdout=1&stderr=1";
        var answer = await RequestAsync(HttpMethod.Post, version + path, null, cancellationToken);
        var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
        return hasTerminal ? stream : new DockerOutput(stream);
    }

    /// <summary>
    /// Begins to wait for a container's end. When this returns, the engine watches: no end after it is missed. The task completes with
    /// the exit code.
    /// </summary>
    /// <param name="container">Which.</param>
    /// <param name="condition"><c>not-running</c>, which an ended one fulfils at once, or <c>next-exit</c>.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<Task<int>> WatchAsync(string container, string condition, CancellationToken cancellationToken)
    {
        var path = $"/containers/{Escape(container)}/wait?condition={condition}";
        var answer = await RequestAsync(HttpMethod.Post, version + path, null, cancellationToken);
        return EndAsync();

        async Task<int> EndAsync() =>
            (await ReadAsync(answer, DockerJson.Default.ContainerEnd, cancellationToken)).StatusCode;
    }

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
            answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
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
