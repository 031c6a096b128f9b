using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Methods;

namespace EdgeDm.DevHub.Service;

/// <summary>A call of a direct method, as a service, a module or a job asks for it.</summary>
/// <param name="Name">Which.</param>
/// <param name="Payload">JSON; empty = none.</param>
/// <param name="ResponseTimeout">How long the client may take.</param>
/// <param name="ConnectTimeout">How long to wait for a client that is away.</param>
internal sealed record MethodCall(string Name, byte[] Payload, TimeSpan ResponseTimeout, TimeSpan ConnectTimeout)
{
    private const int DefaultResponseSeconds = 30;
    private const int ShortestResponseSeconds = 5;
    private const int LongestSeconds = 300;
    private const string NotInNames = "/+#?";

    /// <summary>Reads a call.</summary>
    /// <exception cref="HubException">It is out of bounds.</exception>
    /// <exception cref="JsonException">A part is of another type.</exception>
    public static MethodCall Read(JsonObject body)
    {
        var name = Json.TextAt(body, "methodName") ?? "";
        if (
            name.Length is 0 or > MethodBroker.LongestName
            || name.Any(c => char.IsControl(c) || NotInNames.Contains(c, StringComparison.Ordinal))
        )
        {
            throw Invalid(
                $"'methodName' must have 1 to {MethodBroker.LongestName} characters, none of them a control character or "
                    + $"one of {NotInNames}."
            );
        }
        var response = Json.IntegerAt(body, "responseTimeoutInSeconds", DefaultResponseSeconds);
        if (response is < ShortestResponseSeconds or > LongestSeconds)
        {
            throw Invalid($"'responseTimeoutInSeconds' must be {ShortestResponseSeconds} to {LongestSeconds}.");
        }
        var connect = Json.IntegerAt(body, "connectTimeoutInSeconds", 0);
        if (connect is < 0 or > LongestSeconds)
        {
            throw Invalid($"'connectTimeoutInSeconds' must be 0 to {LongestSeconds}.");
        }
        var payload = body.TryGetPropertyValue("payload", out var given)
            ? Encoding.UTF8.GetBytes(given?.ToJsonString() ?? "null")
            : [];
        if (payload.Length > MethodBroker.LargestPayload)
        {
            throw new HubException(
                HubError.MessageTooLarge,
                $"'payload' is larger than {MethodBroker.LargestPayload} bytes."
            );
        }
        return new(name, payload, TimeSpan.FromSeconds(response), TimeSpan.FromSeconds(connect));
    }

    /// <summary>Calls and waits.</summary>
    /// <returns><c>{"status":n,"payload":..}</c></returns>
    /// <exception cref="HubException">The client is away, did not answer, or answered with something else than JSON.</exception>
    public async Task<JsonObject> InvokeAsync(
        MethodBroker methods,
        HubIdentity client,
        CancellationToken cancellationToken
    )
    {
        var answer = await methods.InvokeAsync(
            client,
            Name,
            Payload,
            ResponseTimeout,
            ConnectTimeout,
            cancellationToken
        );
        return new() { ["status"] = answer.Status, ["payload"] = PayloadOf(client, answer) };
    }

    private static JsonNode? PayloadOf(HubIdentity client, MethodAnswer answer)
    {
        if (answer.Payload.IsEmpty)
        {
            return null;
        }
        try
        {
            return JsonNode.Parse(answer.Payload.Span);
        }
        catch (JsonException)
        {
            throw new HubException(HubError.ServerError, $"'{client}' answered with something that is not JSON.");
        }
    }

    private static HubException Invalid(string what) => new(HubError.ArgumentInvalid, what);
}
