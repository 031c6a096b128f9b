using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <content>What the dev hub alone has.</content>
internal sealed partial class ServiceClient
{
    private const string Faults = "devhub/faults";

    /// <summary>What the dev hub says about itself; null when this is no dev hub.</summary>
    public async Task<JsonObject?> FindDevHubAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await SendAsync(HttpMethod.Get, "devhub/status", null, AnswerTimeout, cancellationToken)
                as JsonObject;
        }
        catch (ServiceException error) when (error.Status is 400 or 404 or 405)
        {
            return null; // IoT Hub knows no such address.
        }
    }

    /// <summary>An address that opens its page once.</summary>
    public async Task<string> NewPageAddressAsync(CancellationToken cancellationToken) =>
        (string?)
            Object(await SendAsync(HttpMethod.Post, "devhub/page/address", null, AnswerTimeout, cancellationToken))[
                "address"
            ]
        ?? throw NoAnswer();

    /// <summary>Puts a message into a module's input, as a route would.</summary>
    public Task SendToInputAsync(
        string module,
        string input,
        OutgoingMessage message,
        CancellationToken cancellationToken
    ) =>
        SendMessageAsync(
            $"devhub/modules/{Uri.EscapeDataString(module)}/inputs/{Uri.EscapeDataString(input)}",
            message,
            cancellationToken
        );

    /// <summary>Sends a message from the cloud to a device.</summary>
    public Task SendToDeviceAsync(string device, OutgoingMessage message, CancellationToken cancellationToken) =>
        SendMessageAsync($"devhub/devices/{Uri.EscapeDataString(device)}/messages", message, cancellationToken);

    /// <summary>What becomes of a message at a route. Fails when the route is bad.</summary>
    public async Task<JsonObject> TryRouteAsync(
        string route,
        JsonObject? message,
        CancellationToken cancellationToken
    ) =>
        Object(
            await SendAsync(
                HttpMethod.Post,
                "devhub/route",
                Json(new JsonObject { ["route"] = route, ["message"] = message }),
                AnswerTimeout,
                cancellationToken
            )
        );

    /// <summary>Has something go wrong on purpose.</summary>
    /// <returns>The fault with its number.</returns>
    public async Task<JsonObject> AddFaultAsync(JsonObject fault, CancellationToken cancellationToken) =>
        Object(await SendAsync(HttpMethod.Post, Faults, Json(fault), AnswerTimeout, cancellationToken));

    /// <summary>What goes wrong on purpose.</summary>
    public async Task<JsonArray> ListFaultsAsync(CancellationToken cancellationToken) =>
        await SendAsync(HttpMethod.Get, Faults, null, AnswerTimeout, cancellationToken) as JsonArray
        ?? throw NoAnswer();

    /// <summary>Ends a fault, or all where none is named, and tells those that were on.</summary>
    public async Task<JsonArray> EndFaultsAsync(int? fault, CancellationToken cancellationToken) =>
        await SendAsync(
            HttpMethod.Delete,
            fault is { } id ? $"{Faults}/{id}" : Faults,
            null,
            AnswerTimeout,
            cancellationToken
        ) as JsonArray
        ?? throw NoAnswer();

    /// <summary>What passes it, from <paramref name="listening"/> on, until cancelled or the hub ends.</summary>
    public async IAsyncEnumerable<JsonObject> TailAsync(
        Action listening,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "devhub/tail");
        request.Headers.TryAddWithoutValidation("Authorization", token.Current);
        using var response = await OpenAsync(request, cancellationToken);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        listening();
        while (await ReadLineAsync(reader, cancellationToken) is { } line)
        {
            yield return Object(JsonNode.Parse(line));
        }
    }

    private async Task SendMessageAsync(string address, OutgoingMessage message, CancellationToken cancellationToken)
    {
        var query = string.Join(
            '&',
            message.Properties.Select(p => $"{Uri.EscapeDataString(p.Key)}={Uri.EscapeDataString(p.Value)}")
        );
        var content = new ReadOnlyMemoryContent(message.Body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(message.ContentType);
        await SendAsync(HttpMethod.Post, $"{address}?{query}", content, AnswerTimeout, cancellationToken);
    }

    private async Task<HttpResponseMessage> OpenAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            return response.IsSuccessStatusCode
                ? response
                : throw ServiceErrors.FromAnswer(
                    (int)response.StatusCode,
                    null,
                    await response.Content.ReadAsStringAsync(cancellationToken),
                    connection
                );
        }
        catch (HttpRequestException error)
        {
            throw ServiceErrors.FromNetwork(error, connection);
        }
    }

    private async Task<string?> ReadLineAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadLineAsync(cancellationToken);
        }
        catch (Exception error) when (error is IOException or HttpRequestException)
        {
            throw new ServiceException(
                ExitCodes.NotReachable,
                $"{connection.Host}:{connection.Port} ended the connection.",
                inner: error
            );
        }
    }
}
