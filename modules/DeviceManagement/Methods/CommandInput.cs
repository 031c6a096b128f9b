using System.Collections.Immutable;
using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.DeviceManagement.Jobs;
using EdgeDm.ModuleHost;

namespace EdgeDm.DeviceManagement.Methods;

/// <summary>
/// Input <c>commands</c>: job requests of other modules on this gateway. Who may ask is a list of module ids; who asks,
/// edgeHub stamps.
/// </summary>
internal sealed class CommandInput(IModuleHub hub, JobEngine engine, ImmutableHashSet<string> senders)
{
    /// <summary>Listens from now on.</summary>
    public void Register() => hub.OnInput(Routes.Commands, (message, _) => ReceiveAsync(message));

    private ValueTask ReceiveAsync(InputMessage message)
    {
        if (message.Schema != Schemas.JobRequest)
        {
            throw new BadMessageException($"Input '{message.Input}' takes no messages of schema '{message.Schema}'.");
        }
        JobResult result;
        try
        {
            RequireAllowed(message.Sender);
            var request =
                JsonSerializer.Deserialize(message.Payload.Span, ContractsJson.Default.CreateJobRequest)
                ?? throw new JsonException("The request is null.");
            var job = engine.Create(request, $"route:{message.Sender.Split('/')[^1]}");
            result = new(message.MessageId, message.Sender, job, null);
        }
        catch (EdgeDmException refusal)
        {
            result = new(message.MessageId, message.Sender, null, refusal.Error);
        }
        catch (JsonException error)
        {
            var refusal = ErrorRegistry.InvalidJson.Error(
                Subsystems.DeviceManagement,
                error.Path ?? Routes.Commands,
                "The job request cannot be read."
            );
            result = new(message.MessageId, message.Sender, null, refusal);
        }
        hub.Post(
            Routes.CommandResults,
            Schemas.JobResult,
            JsonSerializer.SerializeToUtf8Bytes(result, ContractsJson.Default.JobResult)
        );
        return ValueTask.CompletedTask;
    }

    private void RequireAllowed(string sender)
    {
        if (!senders.Contains(sender.Split('/')[^1]))
        {
            throw ErrorRegistry.DeniedByPolicy.Exception(
                Subsystems.DeviceManagement,
                Routes.Commands,
                $"Module '{sender}' is not listed in EDGEDM_COMMAND_SENDERS."
            );
        }
    }
}
