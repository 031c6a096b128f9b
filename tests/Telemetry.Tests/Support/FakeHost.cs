using System.Text.Json;
using EdgeDm.Contracts;
using EdgeDm.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace EdgeDm.Telemetry.Tests.Support;

/// <summary>HostAccess's inventory socket, with an inventory that a test changes.</summary>
internal sealed class FakeHost : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("edgedm-").FullName;
    private WebApplication? app;

    public static HostInventory Inventory { get; } =
        new(
            "Contoso",
            "Gateway",
            null,
            null,
            "1.0.0",
            1_000,
            50_000,
            new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero),
            "+00:00",
            "UTC",
            new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero),
            "instance-1",
            []
        );

    /// <summary>Answers a request.</summary>
    public Func<HttpContext, Task> Answer { get; set; } = http => WriteAsync(http, Inventory);

    public string Endpoint => "unix:" + SocketPath;

    private string SocketPath => Path.Combine(folder, "host-access.sock");

    public static Task WriteAsync(HttpContext http, HostInventory inventory) =>
        http
            .Response.Body.WriteAsync(
                JsonSerializer.SerializeToUtf8Bytes(inventory, ContractsJson.Default.HostInventory)
            )
            .AsTask();

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(SocketPath));
        app = builder.Build();
        app.Run(http =>
        {
            http.Request.Path.Value.ShouldBe(HostApi.Inventory);
            return Answer(http);
        });
        await app.StartAsync();
    }

    public async Task StopAsync()
    {
        if (app is not null)
        {
            await app.EndAsync();
            app = null;
            File.Delete(SocketPath);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(folder, recursive: true);
    }
}
