using System.Globalization;
using System.Text;

namespace EdgeDm.Hub.Tests.Guide;

/// <summary>The lifecycle sample of docs/session.md, word for word, as a device's program has it.</summary>
internal static class LifecycleSample
{
    // sample begins
    public static Task RunAsync(HubSessionOptions options, TextWriter console, CancellationToken stop) =>
        HubReconnect.RunAsync(
            _ => ValueTask.FromResult(options),
            (session, _) => RunConnectedAsync(session, console, stop),
            HubReconnect.Backoff(first: TimeSpan.FromSeconds(1), max: TimeSpan.FromMinutes(1)),
            cancellationToken: stop
        );

    private static async Task RunConnectedAsync(IoTHubSession session, TextWriter console, CancellationToken stop)
    {
        // A lost session ends every call and every loop with the same exception; only a timer has to be told.
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop, session.Stopped);
        await Task.WhenAll(
            SendRecurringTelemetryAsync(session, console, over.Token),
            PrintCloudMessagesAsync(session, console, stop),
            session.ServeMethodsAsync(AnswerAsync, cancellationToken: stop)
        );
    }

    private static async Task SendRecurringTelemetryAsync(
        IoTHubSession session,
        TextWriter console,
        CancellationToken stop
    )
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(5));
        do
        {
            await console.WriteLineAsync("Sending telemetry...");
            var now = DateTimeOffset.UtcNow.ToString("O", CultureInfo.InvariantCulture);
            await session.SendTelemetryAsync(OutboundMessage.FromText(now), stop);
        } while (await timer.WaitForNextTickAsync(stop));
    }

    private static async Task PrintCloudMessagesAsync(IoTHubSession session, TextWriter console, CancellationToken stop)
    {
        await foreach (var message in session.ReadCloudMessagesAsync(stop))
        {
            await console.WriteLineAsync($"A message came: {message.GetText()}");
        }
    }

    private static ValueTask<MethodResult> AnswerAsync(DirectMethodRequest request, CancellationToken stop) =>
        ValueTask.FromResult(
            request.Name == "foo"
                ? new MethodResult(200, Encoding.UTF8.GetBytes("""{"result":"done"}"""))
                : new MethodResult(404)
        );
    // sample ends
}
