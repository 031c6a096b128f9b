using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;
using EdgeDm.DeviceManagement.Host;
using EdgeDm.DeviceManagement.Twin;

namespace EdgeDm.DeviceManagement.Groups.TrustedRoots;

/// <summary>
/// Group <c>trustedRoots</c>: hands a signed list of root keys to HostAccess, which alone judges it, and reports what the host trusts then.
/// Handing the same list over again changes nothing.
/// </summary>
internal sealed class TrustedRootsGroup(HostAccessClient host) : IConfigurationGroup, IDisposable
{
    private readonly Lock gate = new();
    private readonly SemaphoreSlim asked = new(0);
    private Request? request;
    private RootListStatus? read;
    private GroupOutcome? outcome;

    public string Name => TwinNames.TrustedRoots;

    public string InterfaceVersion => "1.0.0";

    public event Action? Changed;

    public GroupOutcome? Outcome
    {
        get
        {
            lock (gate)
            {
                return outcome;
            }
        }
    }

    /// <summary>What is handed over cannot be called back.</summary>
    public bool IsBusy => false;

    public ValueTask ApplyAsync(JsonElement properties, CancellationToken cancellationToken)
    {
        var list = RootListProperty.TryRead(properties, out var errors);
        Ask(list, list is null ? GroupOutcome.Failed(errors) : GroupOutcome.Pending);
        return ValueTask.CompletedTask;
    }

    /// <summary>The record says how it ended; what the host trusts is read again.</summary>
    public void Restore(JsonElement properties) => Ask(list: null, known: null);

    public ValueTask RemoveAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            (request, outcome) = (null, null);
        }
        return ValueTask.CompletedTask;
    }

    public JsonObject Read()
    {
        lock (gate)
        {
            return read is null
                ? []
                : (JsonObject)JsonSerializer.SerializeToNode(read, ContractsJson.Default.RootListStatus)!;
        }
    }

    /// <summary>Waits while a list is on its way: an update that came with it may be signed under its roots.</summary>
    public Task SettledAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            return request is { List: not null } open
                ? open.Answered.Task.WaitAsync(cancellationToken)
                : Task.CompletedTask;
        }
    }

    /// <summary>Asks the host, one after the other, until cancelled. The latest list wins.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await asked.WaitAsync(cancellationToken);
            if (Current() is { } next)
            {
                await AnswerAsync(next, cancellationToken);
            }
        }
    }

    public void Dispose() => asked.Dispose();

    private void Ask(string? list, GroupOutcome? known)
    {
        lock (gate)
        {
            request?.Answered.TrySetResult(); // Whoever waits looks again.
            (request, outcome) = (new(list), known);
        }
        asked.Release();
    }

    private Request? Current()
    {
        lock (gate)
        {
            return request;
        }
    }

    private async Task AnswerAsync(Request next, CancellationToken cancellationToken)
    {
        RootListStatus? status = null;
        GroupOutcome? end = null;
        try
        {
            if (next.List is { } list)
            {
                status = await host.UntilAnsweredAsync(
                    c => host.ReplaceRootsAsync(new(list), c),
                    cancellationToken,
                    reason =>
                        Take(next, null, reason is null ? GroupOutcome.Pending : GroupOutcome.Waiting(Name, reason))
                );
                end = GroupOutcome.Succeeded;
            }
        }
        catch (EdgeDmException refusal)
        {
            end = GroupOutcome.Failed(TrustedRootsNames.RootList, refusal.Error);
        }
        try
        {
            status ??= await host.UntilAnsweredAsync(host.GetRootsAsync, cancellationToken, waits: _ => { });
        }
        catch (EdgeDmException error)
        {
            end ??= next.List is null ? null : GroupOutcome.Failed(Name, error.Error);
        }
        Take(next, status, end);
        next.Answered.TrySetResult();
    }

    /// <summary>Unless something else is desired by now.</summary>
    private void Take(Request of, RootListStatus? status, GroupOutcome? end)
    {
        lock (gate)
        {
            if (request != of)
            {
                return;
            }
            read = status ?? read;
            outcome = end ?? outcome;
            request = of.List is not null && end?.Status == DeploymentStatuses.Pending ? request : null;
        }
        Changed?.Invoke();
    }

    /// <param name="list">To hand over; null = only read what the host trusts.</param>
    private sealed class Request(string? list)
    {
        public string? List => list;

        public TaskCompletionSource Answered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
