using System.Collections.Concurrent;
using EdgeDm.DevHub.Identities;

namespace EdgeDm.DevHub.Methods;

/// <summary>A connected client that has subscribed to methods.</summary>
public interface IMethodTarget
{
    /// <summary>Sends a call to the client, or drops it when the connection is ending.</summary>
    void SendMethod(string method, string requestId, ReadOnlyMemory<byte> payload);
}

/// <summary>A client's answer to a direct method.</summary>
/// <param name="Status">The client's own number.</param>
/// <param name="Payload">JSON as it came; may be empty.</param>
public sealed record MethodAnswer(int Status, ReadOnlyMemory<byte> Payload);

/// <summary>
/// Calls direct methods of connected clients and brings the answers back. Many calls to one client may be under way.
/// Safe for use by many threads.
/// </summary>
public sealed class MethodBroker(TimeProvider time)
{
    /// <summary>Longest name of a method (edgeHub's).</summary>
    public const int LongestName = 100;

    /// <summary>Bytes of a payload, either way.</summary>
    public const int LargestPayload = 128 * 1024;

    private readonly Lock gate = new();
    private readonly Dictionary<HubIdentity, IMethodTarget> targets = [];
    private readonly Dictionary<HubIdentity, TaskCompletionSource> awaited = [];

    // Official clients return the id in lower case or as it was.
    private readonly ConcurrentDictionary<string, Call> calls = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The client takes calls from now on.</summary>
    public void Attach(HubIdentity client, IMethodTarget target)
    {
        TaskCompletionSource? waiting;
        lock (gate)
        {
            targets[client] = target;
            awaited.Remove(client, out waiting);
        }
        waiting?.TrySetResult();
    }

    /// <summary>The client takes no more calls over this connection; those without an answer fail at once.</summary>
    public void Detach(HubIdentity client, IMethodTarget target)
    {
        lock (gate)
        {
            if (targets.TryGetValue(client, out var current) && ReferenceEquals(current, target))
            {
                targets.Remove(client);
            }
        }
        foreach (var (_, call) in calls.Where(c => ReferenceEquals(c.Value.Target, target)))
        {
            call.Answer.TrySetException(
                new HubException(
                    HubError.GatewayTimeout,
                    $"'{client}' closed its connection before it answered; the method may have run."
                )
            );
        }
    }

    /// <summary>Takes an answer. One that nobody waits for (any more), or of another client, is ignored.</summary>
    public void Complete(IMethodTarget from, string requestId, MethodAnswer answer)
    {
        if (calls.TryGetValue(requestId, out var call) && ReferenceEquals(call.Target, from))
        {
            call.Answer.TrySetResult(answer);
        }
    }

    /// <summary>Calls a method.</summary>
    /// <param name="client">Whose.</param>
    /// <param name="name">Which.</param>
    /// <param name="payload">JSON.</param>
    /// <param name="responseTimeout">How long the client may take.</param>
    /// <param name="connectTimeout">How long to wait for a client that is not connected and subscribed; zero = not at all.</param>
    /// <param name="cancellationToken">The caller is gone.</param>
    /// <exception cref="HubException">
    /// <see cref="HubError.DeviceNotOnline"/>, or <see cref="HubError.GatewayTimeout"/> when no answer came.
    /// </exception>
    public async Task<MethodAnswer> InvokeAsync(
        HubIdentity client,
        string name,
        ReadOnlyMemory<byte> payload,
        TimeSpan responseTimeout,
        TimeSpan connectTimeout,
        CancellationToken cancellationToken
    )
    {
        var target = await FindAsync(client, connectTimeout, cancellationToken);
        var call = new Call(target);
        var requestId = Guid.NewGuid().ToString();
        calls[requestId] = call;
        try
        {
            if (!IsAttached(client, target))
            {
                // Detached between the look-up and the registration of this call: nobody will fail it.
                throw NotOnline(client);
            }
            // From here on the client may have it, and the end of its connection fails the call as one that may have run.
            target.SendMethod(name, requestId, payload);
            return await call.Answer.Task.WaitAsync(responseTimeout, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new HubException(
                HubError.GatewayTimeout,
                $"Timed out waiting for device to respond to method request {requestId}: '{client}' did not answer "
                    + $"'{name}' within {responseTimeout.TotalSeconds} s."
            );
        }
        finally
        {
            calls.TryRemove(requestId, out _);
        }
    }

    private async Task<IMethodTarget> FindAsync(
        HubIdentity client,
        TimeSpan connectTimeout,
        CancellationToken cancellationToken
    )
    {
        var began = time.GetTimestamp();
        while (true)
        {
            TaskCompletionSource? waiting;
            lock (gate)
            {
                if (targets.TryGetValue(client, out var target))
                {
                    return target;
                }
                if (!awaited.TryGetValue(client, out waiting))
                {
                    awaited[client] = waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            }
            var left = connectTimeout - time.GetElapsedTime(began);
            if (left <= TimeSpan.Zero)
            {
                throw NotOnline(client);
            }
            try
            {
                await waiting.Task.WaitAsync(left, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                throw NotOnline(client);
            }
        }
    }

    private bool IsAttached(HubIdentity client, IMethodTarget target)
    {
        lock (gate)
        {
            return targets.TryGetValue(client, out var current) && ReferenceEquals(current, target);
        }
    }

    private static HubException NotOnline(HubIdentity client) =>
        new(
            HubError.DeviceNotOnline,
            $"The operation failed because the requested device isn't online: '{client}' is not connected or has not "
                + "subscribed to methods."
        );

    private sealed record Call(IMethodTarget Target)
    {
        public TaskCompletionSource<MethodAnswer> Answer { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
