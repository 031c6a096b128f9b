using System.Globalization;
using System.Text.Json.Nodes;
using EdgeDm.Hub;
using EdgeDm.Mqtt;
using EdgeDm.Mqtt.IoTHub;

namespace EdgeDm.Testing;

/// <summary>A small hub that behaves: one module, its twin, its outputs, inputs and methods. The test can make it misbehave.</summary>
public sealed class BehavingHub : IAsyncDisposable
{
    private readonly ScriptedHub hub = new();
    private readonly Lock gate = new();
    private readonly List<ReceivedPublish> outputs = [];
    private readonly List<string> patches = [];
    private readonly Dictionary<string, TaskCompletionSource<(int Status, string Body)>> calls = [];
    private readonly Dictionary<ushort, TaskCompletionSource> deliveries = [];
    private readonly List<Task> serving = [];
    private readonly Task accepting;
    private ScriptedConnection? current;
    private HashSet<string> filters = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long desiredVersion = 1;
    private ushort lastPacketId;
    private volatile bool closing;

    /// <summary>Starts.</summary>
    public BehavingHub() => accepting = AcceptAsync();

    /// <summary>For a session with it.</summary>
    public HubSessionOptions Options => hub.Options;

    /// <summary>The desired properties at the start.</summary>
    public JsonObject Desired { get; } = [];

    /// <summary>The reported properties as it has them.</summary>
    public JsonObject Reported { get; } = [];

    /// <summary>Answers a reported patch; 204 takes it.</summary>
    public Func<JsonObject, int> Judge { get; set; } = _ => 204;

    /// <summary>False: outputs are recorded and never acknowledged.</summary>
    public bool Acknowledges { get; set; } = true;

    /// <summary>CONNACK.</summary>
    public ConnackCode Welcome { get; set; }

    /// <summary>How many CONNECTs came.</summary>
    public int Connections { get; private set; }

    /// <summary>Messages from outputs, oldest first.</summary>
    public IReadOnlyList<ReceivedPublish> Outputs => Locked(() => outputs.ToArray());

    /// <summary>Reported patches, oldest first, taken or not.</summary>
    public IReadOnlyList<string> Patches => Locked(() => patches.ToArray());

    /// <summary>Waits until something holds.</summary>
    public async Task UntilAsync(Func<BehavingHub, bool> holds)
    {
        using var patience = new CancellationTokenSource(ScriptedHub.Patience);
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (holds(this))
                {
                    return;
                }
                next = changed.Task;
            }
            await next.WaitAsync(patience.Token);
        }
    }

    /// <summary>Waits until the module has subscribed to this.</summary>
    public Task SubscribedAsync(string filter) => UntilAsync(h => h.filters.Contains(filter));

    /// <summary>Changes desired properties and tells the module, if it listens.</summary>
    public async Task ChangeDesiredAsync(string patch)
    {
        ScriptedConnection? to;
        long version;
        lock (gate)
        {
            Merge(Desired, JsonNode.Parse(patch)!.AsObject());
            version = ++desiredVersion;
            to = filters.Contains(HubTopics.DesiredFilter) ? current : null;
        }
        if (to is not null)
        {
            await to.PublishAsync(HubTopics.DesiredPatch(version), patch);
        }
    }

    /// <summary>Delivers to an input; completes with the module's acknowledgement.</summary>
    public async Task DeliverAsync(string input, string body, string? messageId = null)
    {
        await SubscribedAsync(HubTopics.InputsFilter("gateway", "Module"));
        var acknowledged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ushort id;
        lock (gate)
        {
            id = ++lastPacketId;
            deliveries.Add(id, acknowledged);
        }
        await current!.PublishInputAsync(input, body, id, messageId);
        await acknowledged.Task.WaitAsync(ScriptedHub.Patience);
    }

    /// <summary>Calls a method.</summary>
    public async Task<(int Status, string Body)> CallAsync(string method, string body)
    {
        await SubscribedAsync(HubTopics.MethodFilter);
        var answer = new TaskCompletionSource<(int, string)>(TaskCreationOptions.RunContinuationsAsynchronously);
        var id = Guid.NewGuid().ToString("n");
        lock (gate)
        {
            calls.Add(id, answer);
        }
        await current!.PublishAsync(HubTopics.MethodRequest(method, id), body);
        return await answer.Task.WaitAsync(ScriptedHub.Patience);
    }

    /// <summary>Cuts the connection.</summary>
    public void Drop()
    {
        ScriptedConnection? victim;
        lock (gate)
        {
            victim = current;
            current = null;
            filters = [];
        }
        victim?.Drop();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        closing = true;
        await hub.DisposeAsync();
        await accepting;
        await Task.WhenAll(serving);
    }

    private async Task AcceptAsync()
    {
        while (!closing)
        {
            try
            {
                serving.Add(ServeAsync(await hub.AcceptAsync()));
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                // Closed, or no client for a long time: the loop's condition decides.
            }
        }
    }

    private async Task ServeAsync(ScriptedConnection connection)
    {
        try
        {
            connection.Connect = await connection.ExpectAsync<ConnectPacket>();
            Change(() =>
            {
                Connections++;
                current = connection;
                filters = [];
            });
            await connection.SendAsync(new ConnackPacket(false, Welcome).Write);
            while (await connection.ReadAsync() is { } packet)
            {
                await AnswerAsync(connection, packet);
            }
        }
        catch (Exception error)
            when (error
                    is IOException
                        or OperationCanceledException
                        or ObjectDisposedException
                        or InvalidOperationException
            )
        {
            // The connection is gone.
        }
    }

    private async Task AnswerAsync(ScriptedConnection connection, object packet)
    {
        switch (packet)
        {
            case SubscribePacket subscribe:
                await connection.SendAsync(
                    new SubackPacket(subscribe.PacketId, [.. subscribe.Filters.Select(f => (byte)f.QoS)]).Write
                );
                Change(() => filters.UnionWith(subscribe.Filters.Select(f => f.Filter)));
                break;
            case UnsubscribePacket unsubscribe:
                Change(() => filters.ExceptWith(unsubscribe.Filters));
                await connection.SendAsync(w => UnsubackPacket.Write(w, unsubscribe.PacketId));
                break;
            case PubackPacket puback:
                lock (gate)
                {
                    if (deliveries.Remove(puback.PacketId, out var delivery))
                    {
                        delivery.SetResult();
                    }
                }
                break;
            case MqttPacketType.Pingreq:
                await connection.SendAsync(EmptyPackets.WritePingresp);
                break;
            case ReceivedPublish publish:
                await AnswerAsync(connection, publish);
                break;
        }
    }

    private async Task AnswerAsync(ScriptedConnection connection, ReceivedPublish publish)
    {
        var topic = publish.Parsed;
        if (topic.Kind != HubTopicKind.Telemetry || Acknowledges)
        {
            await connection.SendAsync(w => PubackPacket.Write(w, publish.PacketId));
        }
        switch (topic.Kind)
        {
            case HubTopicKind.Telemetry:
                Change(() => outputs.Add(publish));
                break;
            case HubTopicKind.TwinGet:
                await connection.PublishAsync(HubTopics.TwinResponse(200, topic.RequestId), Locked(TwinText));
                break;
            case HubTopicKind.ReportedPatch:
                var patch = JsonNode.Parse(publish.Body)!.AsObject();
                var status = Judge(patch);
                Change(() =>
                {
                    patches.Add(publish.Body);
                    if (status == 204)
                    {
                        Merge(Reported, patch);
                    }
                });
                await connection.PublishAsync(HubTopics.TwinResponse(status, topic.RequestId), "");
                break;
            case HubTopicKind.MethodResponse:
                lock (gate)
                {
                    if (calls.Remove(topic.RequestId, out var call))
                    {
                        call.SetResult((topic.Status, publish.Body));
                    }
                }
                break;
        }
    }

    private string TwinText()
    {
        var twin = new JsonObject { ["desired"] = Desired.DeepClone(), ["reported"] = Reported.DeepClone() };
        twin["desired"]!["$version"] = desiredVersion;
        twin["desired"]!["$metadata"] = new JsonObject();
        twin["reported"]!["$version"] = 1;
        return twin.ToJsonString();
    }

    private static void Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null)
            {
                target.Remove(name);
            }
            else if (value is JsonObject inner && target[name] is JsonObject into)
            {
                Merge(into, inner);
            }
            else
            {
                target[name] = value.DeepClone();
            }
        }
    }

    private T Locked<T>(Func<T> read)
    {
        lock (gate)
        {
            return read();
        }
    }

    private void Change(Action change)
    {
        lock (gate)
        {
            change();
            var old = changed;
            changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
            old.SetResult();
        }
    }

    /// <summary>For a failing test's message.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Connections} connections, {Outputs.Count} outputs, {Reported}");
}
