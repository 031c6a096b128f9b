using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>Calls a direct method.</summary>
internal static class MethodHandler
{
    public static async Task<int> RunAsync(
        MethodOptions options,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var payload = options.Payload is { } argument
            ? JsonText.Parse(await InputText.ReadAsync(argument, cancellationToken), "The payload")
            : null;
        var answer = await target.Client.InvokeAsync(
            target.Device,
            target.Module,
            options.Name,
            payload,
            options.Timeout,
            cancellationToken
        );
        if (context.Terminal.Json)
        {
            context.Terminal.WriteJson(
                new JsonObject { ["status"] = answer.Status, ["payload"] = answer.Payload?.DeepClone() }
            );
            return answer.IsSuccess ? ExitCodes.Done : ExitCodes.Failed;
        }
        if (!answer.IsSuccess)
        {
            throw JobMethods.Refused(options.Name, answer);
        }
        context.Terminal.WriteJson(answer.Payload);
        return ExitCodes.Done;
    }
}

/// <summary>What was asked for.</summary>
/// <param name="Name">The method.</param>
/// <param name="Payload">As typed; null = none.</param>
/// <param name="Timeout">How long it may take.</param>
internal sealed record MethodOptions(string Name, string? Payload, TimeSpan Timeout);
