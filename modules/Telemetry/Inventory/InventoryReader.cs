using System.Net;
using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.Telemetry.Inventory;

/// <summary>Asks HostAccess what the host is.</summary>
internal interface IInventoryReader
{
    /// <summary>False: there is not even a socket of HostAccess, as while a gateway starts; to ask could only fail.</summary>
    bool IsThere { get; }

    /// <summary>The inventory at this moment.</summary>
    /// <exception cref="EdgeDmException"><c>hostAccessUnavailable</c>, or HostAccess's own refusal.</exception>
    Task<HostInventory> ReadAsync(CancellationToken cancel);
}

/// <summary>Asks over HTTP.</summary>
/// <param name="http">Knows the socket; its buffer limit bounds the answer.</param>
/// <param name="socket">Its path.</param>
internal sealed class InventoryReader(HttpClient http, string socket) : IInventoryReader
{
    /// <inheritdoc/>
    public bool IsThere => File.Exists(socket);

    /// <inheritdoc/>
    public async Task<HostInventory> ReadAsync(CancellationToken cancel)
    {
        try
        {
            using var response = await http.GetAsync(HostApi.Inventory, cancel);
            var body = await response.Content.ReadAsByteArrayAsync(cancel);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                throw Refusal(response.StatusCode, body);
            }
            return JsonSerializer.Deserialize(body, ContractsJson.Default.HostInventory)
                ?? throw Unavailable("HostAccess answered with null.");
        }
        catch (HttpRequestException error)
        {
            throw Unavailable($"HostAccess cannot be reached ({error.HttpRequestError}).", error);
        }
        catch (OperationCanceledException error) when (!cancel.IsCancellationRequested)
        {
            throw Unavailable($"HostAccess did not answer within {http.Timeout.TotalSeconds:0.###} s.", error);
        }
        catch (JsonException error)
        {
            throw Unavailable("HostAccess's answer is no inventory.", error);
        }
    }

    private static EdgeDmException Refusal(HttpStatusCode status, byte[] body)
    {
        try
        {
            if (JsonSerializer.Deserialize(body, ContractsJson.Default.ErrorObject) is { } error)
            {
                return new EdgeDmException(error);
            }
        }
        catch (JsonException)
        {
            // Not from HostAccess itself; the status must do.
        }
        return Unavailable($"HostAccess answered {(int)status}.");
    }

    private static EdgeDmException Unavailable(string what, Exception? inner = null) =>
        new(ErrorRegistry.HostAccessUnavailable.Error(Subsystems.Telemetry, HostApi.Inventory, what), inner);
}
