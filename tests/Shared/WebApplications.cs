using Microsoft.AspNetCore.Builder;

namespace EdgeDm.Testing;

/// <summary>How tests end the servers that they start.</summary>
internal static class WebApplications
{
    /// <summary>Ends it now: connections that are open are cut, where a bare dispose would give them five seconds.</summary>
    public static async ValueTask EndAsync(this WebApplication server)
    {
        try
        {
            await server.StopAsync(new CancellationToken(canceled: true));
        }
        catch (OperationCanceledException)
        {
            // Whoever was still connected is not any more.
        }
        await server.DisposeAsync();
    }
}
