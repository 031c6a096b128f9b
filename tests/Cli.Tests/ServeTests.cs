using System.Net;
using System.Net.Http.Headers;
using System.Runtime.Versioning;

namespace EdgeDm.Cli.Tests;

[UnsupportedOSPlatform("windows")]
public sealed class ServeTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public async Task Serve_RangesUntilInterrupted_CountsWhatItSent()
    {
        folder.Write("files/image.bin", new string('x', 100_000));
        folder.Write("secret", "x");
        var result = await EdgeDmProcess.InterruptAsync(
            null,
            async () =>
            {
                using var http = new HttpClient { BaseAddress = new(File.ReadAllText(folder["url"])) };
                var part = await GetAsync(http, "image.bin", new(90_000, null));
                part.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
                part.Headers.ETag.ShouldNotBeNull();
                (await part.Content.ReadAsByteArrayAsync()).Length.ShouldBe(10_000);
                await WaitForCountAsync("10000"); // While it serves.
                (await GetAsync(http, "%2e%2e/secret", null)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
                (await GetAsync(http, "", null)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
            },
            "serve",
            folder["files"],
            "--url-file",
            folder["url"],
            "--count-file",
            folder["count"]
        );
        result.ShouldExitWith(0).Output.ShouldContain("sent 10000 bytes");
        File.ReadAllText(folder["count"]).ShouldBe("10000");
    }

    [Fact]
    public async Task Serve_NoFolder_IsWrongUsage() =>
        (await EdgeDmProcess.RunAsync("serve", folder["nothing"])).ShouldExitWith(2).Error.ShouldContain("no folder");

    private async Task WaitForCountAsync(string count)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await File.ReadAllTextAsync(folder["count"], limit.Token) != count)
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    private static async Task<HttpResponseMessage> GetAsync(HttpClient http, string path, RangeItemHeaderValue? range)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (range is not null)
        {
            request.Headers.Range = new() { Ranges = { range } };
        }
        return await http.SendAsync(request);
    }
}
