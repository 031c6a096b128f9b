using System.Net;
using System.Text.Json.Nodes;

namespace EdgeDm.DevHub.Launching.Containers;

internal sealed partial class DockerEngine
{
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
}
