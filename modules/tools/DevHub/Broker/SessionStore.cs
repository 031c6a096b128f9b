using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeDm.DevHub.Identities;
using EdgeDm.Durable;
using EdgeDm.Mqtt;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Broker;

/// <summary>
/// The subscriptions of clients whose sessions are not clean, on disk (folder <c>sessions</c>), so that they outlive the hub. Filters that mean
/// nothing to the hub are not kept. Safe for use by many threads as long as each client is one's alone.
/// </summary>
internal sealed class SessionStore
{
    private static readonly Failpoint Saved = new("session", removes: true);

    private readonly DurableFolder<ClientSession> folder;

    /// <summary>Names the folder and makes it.</summary>
    public SessionStore(string dataFolder, ILogger<SessionStore> logger) =>
        folder = new(Path.Combine(dataFolder, "sessions"), SessionJson.Default.ClientSession, Saved, logger);

    /// <summary>All sessions.</summary>
    public IEnumerable<ClientSession> LoadAll() => folder.LoadAll();

    /// <summary>Adds or replaces a session; on disk when this returns.</summary>
    /// <exception cref="HubException"><see cref="HubError.IotHubQuotaExceeded"/>: the disk takes no more.</exception>
    public void Save(ClientSession session)
    {
        try
        {
            folder.Save(NameOf(session.Client), session);
        }
        catch (IOException error)
        {
            throw new HubException(
                HubError.IotHubQuotaExceeded,
                $"The subscriptions of '{session.Client}' cannot be kept: {error.Message}"
            );
        }
    }

    /// <summary>Forgets a session for good.</summary>
    public void Forget(HubIdentity client) => folder.Delete(NameOf(client));

    private static string NameOf(HubIdentity client) =>
        RecordNames.Of("session", client.ModuleId ?? client.DeviceId, client.ToString());
}

/// <summary>What a client wants, as long as it does not ask for a clean session.</summary>
/// <param name="DeviceId">The client's device.</param>
/// <param name="ModuleId">The module; null = the device itself.</param>
/// <param name="Filters">With the QoS that was granted.</param>
internal sealed record ClientSession(
    string DeviceId,
    string? ModuleId,
    ImmutableSortedDictionary<string, MqttQoS> Filters
)
{
    /// <summary>Whose.</summary>
    [JsonIgnore]
    public HubIdentity Client => new(DeviceId, ModuleId);
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ClientSession))]
internal sealed partial class SessionJson : JsonSerializerContext;
