using System.Collections.Immutable;
using EdgeDm.DevHub.Identities;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.DevHub.Broker;

/// <summary>What a client can subscribe to.</summary>
internal enum SubscriptionKind
{
    /// <summary>A filter that means nothing to the hub.</summary>
    Unknown,
    Inputs,
    TwinResponses,
    DesiredPatches,
    Methods,

    /// <summary>Messages from the cloud to a device.</summary>
    DeviceBound,
}

/// <summary>
/// The topic filters of one client, which outlive the connection unless the session is clean. edgeHub knows filters by their
/// exact form, not by MQTT's matching. Safe for use by many threads.
/// </summary>
/// <param name="identity">The client; filters on others' topics mean nothing.</param>
/// <param name="most">Most filters.</param>
/// <param name="store">Where they are kept; null = nowhere, the session is clean.</param>
internal sealed class Subscriptions(HubIdentity identity, int most, SessionStore? store)
{
    private readonly Lock gate = new();
    private ImmutableSortedDictionary<string, MqttQoS> kept = ImmutableSortedDictionary<string, MqttQoS>.Empty;
    private readonly Dictionary<string, (SubscriptionKind Kind, MqttQoS QoS)> filters = new(StringComparer.Ordinal);

    /// <summary>Those of a session that was kept.</summary>
    public static Subscriptions Of(ClientSession session, int most, SessionStore store)
    {
        var found = new Subscriptions(session.Client, most, store) { kept = session.Filters };
        foreach (var (filter, qos) in session.Filters)
        {
            found.Add(filter, qos);
        }
        return found;
    }

    /// <summary>Keeps what was added and removed, if the session is to be kept; on disk when this returns.</summary>
    /// <exception cref="HubException">The disk takes no more.</exception>
    public void Keep()
    {
        if (store is null)
        {
            return;
        }
        lock (gate)
        {
            var now = filters
                .Where(filter => filter.Value.Kind != SubscriptionKind.Unknown)
                .ToImmutableSortedDictionary(filter => filter.Key, filter => filter.Value.QoS, StringComparer.Ordinal);
            if (now.SequenceEqual(kept))
            {
                return; // As after most connects: the client asks for what it had.
            }
            store.Save(new(identity.DeviceId, identity.ModuleId, now));
            kept = now;
        }
    }

    /// <summary>Adds a filter or changes its QoS. See <see cref="Keep"/>.</summary>
    /// <returns>The QoS granted (2 becomes 1), or null when there are too many.</returns>
    public MqttQoS? Add(string filter, MqttQoS wanted)
    {
        var granted = wanted == MqttQoS.AtMostOnce ? MqttQoS.AtMostOnce : MqttQoS.AtLeastOnce;
        lock (gate)
        {
            if (filters.Count >= most && !filters.ContainsKey(filter))
            {
                return null;
            }
            filters[filter] = (KindOf(filter), granted);
        }
        return granted;
    }

    /// <summary>Takes a filter back. No error when it is not there.</summary>
    public void Remove(string filter)
    {
        lock (gate)
        {
            filters.Remove(filter);
        }
    }

    /// <summary>The best QoS at which the client wants this; null = it does not.</summary>
    public MqttQoS? For(SubscriptionKind kind)
    {
        MqttQoS? best = null;
        lock (gate)
        {
            foreach (var (known, qos) in filters.Values)
            {
                if (known == kind && (best is null || qos > best))
                {
                    best = qos;
                }
            }
        }
        return best;
    }

    /// <summary>What a filter means.</summary>
    public SubscriptionKind KindOf(string filter) =>
        filter switch
        {
            HubTopics.TwinResponseFilter => SubscriptionKind.TwinResponses,
            HubTopics.DesiredFilter => SubscriptionKind.DesiredPatches,
            HubTopics.MethodFilter => SubscriptionKind.Methods,
            // C# subscribes to everything below the module, Node and Python to its inputs.
            _ when identity.ModuleId is not null
                    && (filter == $"{identity.TopicRoot}/#" || filter == $"{identity.TopicRoot}/inputs/#") =>
                SubscriptionKind.Inputs,
            _ when identity.ModuleId is null && filter == $"{identity.TopicRoot}/messages/devicebound/#" =>
                SubscriptionKind.DeviceBound,
            _ => SubscriptionKind.Unknown,
        };
}
