using EdgeDm.Contracts;
using EdgeDm.Hosting;
using EdgeDm.Telemetry.Inventory;
using EdgeDm.Telemetry.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.Telemetry.Tests;

public sealed class InventoryReaderTests : IAsyncLifetime
{
    private readonly FakeHost host = new();

    public async ValueTask InitializeAsync() => await host.StartAsync();

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task Read_HostAnswers_IsTheInventory()
    {
        var inventory = await ReadAsync();

        (inventory with { InstalledUpdates = FakeHost.Inventory.InstalledUpdates }).ShouldBe(FakeHost.Inventory);
    }

    [Fact]
    public async Task Read_HostRefuses_IsItsError()
    {
        host.Answer = http =>
        {
            http.Response.StatusCode = 403;
            return http.Response.WriteAsync(
                """{"subsystem":"HostAccess","context":"inventory","code":5012,"message":"m","parameters":{"name":"networkPresent"}}"""
            );
        };

        (await FailAsync()).Name.ShouldBe("networkPresent");
    }

    [Theory]
    [InlineData(500, "<html>")]
    [InlineData(404, "")]
    [InlineData(200, "<html>")]
    [InlineData(200, "null")]
    [InlineData(200, "{}")]
    public async Task Read_NoInventory_IsUnavailable(int status, string body)
    {
        host.Answer = http =>
        {
            http.Response.StatusCode = status;
            return http.Response.WriteAsync(body);
        };

        (await FailAsync()).Name.ShouldBe("hostAccessUnavailable");
    }

    [Fact]
    public async Task Read_NobodyThere_IsUnavailable()
    {
        await host.StopAsync();

        (await FailAsync()).Name.ShouldBe("hostAccessUnavailable");
    }

    [Fact]
    public async Task IsThere_FollowsTheSocket()
    {
        using var http = UnixHttp.CreateClient(host.Endpoint);
        var reader = new InventoryReader(http, UnixHttp.PathOf(host.Endpoint));
        reader.IsThere.ShouldBeTrue();
        await host.StopAsync();
        reader.IsThere.ShouldBeFalse();
    }

    [Fact]
    public async Task Read_NoAnswerInTime_IsUnavailable()
    {
        host.Answer = http =>
            Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);

        (await FailAsync(timeout: TimeSpan.FromMilliseconds(200))).Message.ShouldContain("0.2 s");
    }

    [Fact]
    public async Task Read_EndlessAnswer_IsUnavailable()
    {
        host.Answer = http => http.Response.WriteAsync(new string(' ', 70_000));

        (await FailAsync()).Name.ShouldBe("hostAccessUnavailable");
    }

    [Fact]
    public async Task Read_Cancelled_Throws()
    {
        host.Answer = http =>
            Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));

        await Should.ThrowAsync<OperationCanceledException>(() => ReadAsync(cancel: cancel.Token));
    }

    private async Task<ErrorObject> FailAsync(TimeSpan? timeout = null) =>
        (await Should.ThrowAsync<EdgeDmException>(() => ReadAsync(timeout))).Error;

    private async Task<HostInventory> ReadAsync(TimeSpan? timeout = null, CancellationToken cancel = default)
    {
        using var http = UnixHttp.CreateClient(host.Endpoint, timeout);
        http.MaxResponseContentBufferSize = 64 * 1024;
        return await new InventoryReader(http, UnixHttp.PathOf(host.Endpoint)).ReadAsync(cancel);
    }
}
