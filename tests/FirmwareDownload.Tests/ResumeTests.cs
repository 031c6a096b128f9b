using System.Globalization;
using EdgeDm.Contracts;
using EdgeDm.FirmwareDownload.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.FirmwareDownload.Tests;

/// <summary>Broken connections and changed files: bytes of one version only, and as few as possible twice.</summary>
public sealed class ResumeTests
{
    private const int Size = 300_000;
    private const int Cut = 100_000;
    private readonly byte[] content = TestFiles.Make(Size);

    [Fact]
    public async Task Fetch_ConnectionCut_AsksForTheRestOfTheSameEntity()
    {
        await using var server = await FileServer.StartAsync(content);
        server.CutAfter = n => n < 2 ? Cut : null;
        await using var bed = new DownloadBed();

        var completed = await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        bed.Stored(content).ShouldBe(content);
        server.Requests.Count.ShouldBe(3);
        server.Requests[0].Range.ShouldBe("");
        server.Requests.Skip(1).ShouldAllBe(r => r.IfRange == "\"v1\"" && r.Range.StartsWith("bytes="));
        server.Requests.ShouldAllBe(r => r.AcceptEncoding == "identity");
        server.BytesSent.ShouldBeLessThan(Size + (2 * Cut)); // What lay in the cut connection's buffers may be lost.
        completed.Bytes.Fetched.ShouldBe(Size);
    }

    [Fact]
    public async Task Fetch_OnlyLastModified_ResumesByDate()
    {
        await using var server = await FileServer.StartAsync(content);
        (server.ETag, server.LastModified) = (null, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        server.CutAfter = n => n == 0 ? Cut : null;
        await using var bed = new DownloadBed();

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        server.Requests[1].IfRange.ShouldBe("Fri, 02 Jan 2026 03:04:05 GMT");
        server.Requests[1].Range.ShouldNotBe("");
    }

    [Fact]
    public async Task Fetch_LastModifiedInTheAnswersOwnSecond_StartsAnew()
    {
        await using var server = await FileServer.StartAsync(content);
        (server.ETag, server.LastModified) = (null, DateTimeOffset.UtcNow.AddMinutes(1));
        server.CutAfter = n => n == 0 ? Cut : null;
        await using var bed = new DownloadBed();

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        server.Requests[1].Range.ShouldBe("");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("W/\"v1\"")]
    public async Task Fetch_NoStrongValidator_StartsAnew(string? tag)
    {
        await using var server = await FileServer.StartAsync(content);
        server.ETag = tag;
        server.CutAfter = n => n == 0 ? Cut : null;
        await using var bed = new DownloadBed();

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        server.Requests[1].Range.ShouldBe("");
        bed.Stored(content).ShouldBe(content);
    }

    [Fact]
    public async Task Fetch_FileChangedMeanwhile_IsFetchedWhole()
    {
        await using var server = await FileServer.StartAsync(TestFiles.Make(Size, seed: 5));
        server.CutAfter = n => n == 0 ? Cut : null;
        server.Misbehave = (http, number) =>
        {
            if (number == 1)
            {
                (server.Content, server.ETag) = (content, "\"v2\"");
                http.Response.Headers.ETag = "\"v2\"";
            }
            return Task.FromResult(false);
        };
        await using var bed = new DownloadBed();

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        bed.Stored(content).ShouldBe(content);
        server.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Fetch_ServerIgnoresIfRange_NeverMixesVersions()
    {
        await using var server = await FileServer.StartAsync(TestFiles.Make(Size, seed: 5));
        server.CutAfter = n => n == 0 ? Cut : null;
        server.Misbehave = async (http, number) =>
        {
            if (number != 1)
            {
                return false;
            }
            (server.Content, server.ETag) = (content, "\"v2\"");
            var from = From(http);
            (http.Response.StatusCode, http.Response.Headers.ETag) = (206, "\"v2\"");
            http.Response.Headers.ContentRange = $"bytes {from}-{Size - 1}/{Size}";
            await server.SendBodyAsync(http, from, Size);
            return true;
        };
        await using var bed = new DownloadBed();

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        bed.Stored(content).ShouldBe(content);
        server.Requests[2].Range.ShouldBe("");
    }

    [Fact]
    public async Task Fetch_ServerWithoutRanges_StartsAnewWithTheSameAnswer()
    {
        await using var server = await FileServer.StartAsync(content);
        server.CutAfter = n => n == 0 ? Cut : null;
        server.Misbehave = (http, _) =>
        {
            http.Request.Headers.Range = "";
            return Task.FromResult(false);
        };
        await using var bed = new DownloadBed();

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        bed.Stored(content).ShouldBe(content);
        server.Requests.Count.ShouldBe(2);
    }

    [Theory]
    [InlineData("bytes 0-299999/300000")]
    [InlineData("bytes 1-299999/300000")]
    [InlineData("bytes */300000")]
    [InlineData("")]
    public async Task Fetch_OtherRangeThanAsked_IsFetchedWhole(string contentRange)
    {
        await using var server = await FileServer.StartAsync(content);
        server.CutAfter = n => n == 0 ? Cut : null;
        server.Misbehave = async (http, number) =>
        {
            if (number != 1)
            {
                return false;
            }
            (http.Response.StatusCode, http.Response.Headers.ContentRange) = (206, contentRange);
            await server.SendBodyAsync(http, 0, Size);
            return true;
        };
        await using var bed = new DownloadBed();

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        bed.Stored(content).ShouldBe(content);
        server.Requests[2].Range.ShouldBe("");
    }

    [Fact]
    public async Task Fetch_RangeOfAnotherTotal_IsRefused()
    {
        await using var server = await FileServer.StartAsync(content);
        server.CutAfter = n => n == 0 ? Cut : null;
        server.Misbehave = async (http, number) =>
        {
            if (number == 0)
            {
                return false;
            }
            http.Response.StatusCode = http.Request.Headers.Range.Count == 0 ? 200 : 206;
            http.Response.Headers.ContentRange = $"bytes {From(http)}-{Size}/{Size + 1}";
            http.Response.ContentLength = Size + 1 - From(http);
            await server.SendBodyAsync(http, From(http), Size);
            return true;
        };
        await using var bed = new DownloadBed();

        var error = await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        error.Code.ShouldBe(ErrorRegistry.WrongSize.Code);
    }

    [Fact]
    public async Task Fetch_ShorterRangesThanAsked_GoesOnAfterEach()
    {
        await using var server = await FileServer.StartAsync(content);
        server.CutAfter = n => n == 0 ? Cut : null;
        server.Misbehave = async (http, number) =>
        {
            if (number == 0)
            {
                return false;
            }
            var from = From(http);
            var to = Math.Min(Size, from + 60_000);
            http.Response.StatusCode = 206;
            http.Response.Headers.ContentRange = $"bytes {from}-{to - 1}/{Size}";
            http.Response.ContentLength = to - from;
            await server.SendBodyAsync(http, from, to);
            return true;
        };
        await using var bed = new DownloadBed();

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        bed.Stored(content).ShouldBe(content);
        server.Requests.Count.ShouldBeGreaterThan(4); // More rounds than MaxAttempts: each brought new bytes.
    }

    [Fact]
    public async Task Fetch_RangeNotSatisfiable_StartsAnew()
    {
        await using var server = await FileServer.StartAsync(content);
        server.CutAfter = n => n == 0 ? Cut : null;
        server.Misbehave = (http, number) =>
        {
            http.Response.StatusCode = number == 1 ? 416 : 200;
            return Task.FromResult(number == 1);
        };
        await using var bed = new DownloadBed();

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        server.Requests[2].Range.ShouldBe("");
    }

    [Fact]
    public async Task Fetch_PartialContentUnasked_IsRefused()
    {
        await using var server = await FileServer.StartAsync(content);
        server.Misbehave = async (http, _) =>
        {
            (http.Response.StatusCode, http.Response.Headers.ContentRange) = (206, $"bytes 0-{Size - 1}/{Size}");
            await server.SendBodyAsync(http, 0, Size);
            return true;
        };
        await using var bed = new DownloadBed();

        var error = await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        error.Code.ShouldBe(ErrorRegistry.BadAnswer.Code);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Restart_AfterOrderlyStop_GoesOnWhereItWas()
    {
        await using var server = await FileServer.StartAsync(content);
        server.Pace = async (sent, cancel) =>
        {
            if (sent >= Cut && server.Requests.Count == 1)
            {
                await Task.Delay(Timeout.Infinite, cancel);
            }
        };
        await using var bed = new DownloadBed(DownloadBed.Patient);
        await bed.SendAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));
        await bed.FetchedAsync(Cut);

        await bed.RestartAsync();
        var completed = await bed.CompletedAsync();

        bed.Stored(content).ShouldBe(content);
        server.Requests[1].Range.ShouldNotBe("", bed.Log);
        server.BytesSent.ShouldBeLessThan(Size + 64 * 1024);
        completed.Bytes.Fetched.ShouldBe(Size);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Restart_PrefixDoesNotReadBack_StartsAnew(bool shorter)
    {
        await using var server = await FileServer.StartAsync(content);
        server.Misbehave = (http, number) =>
        {
            http.Response.StatusCode = number == 1 ? 403 : 200;
            return Task.FromResult(number == 1);
        };
        server.CutAfter = n => n == 0 ? Cut : null;
        await using var bed = new DownloadBed();
        var request = DownloadBed.Request(DownloadBed.File(content, server.Url));
        await bed.FailAsync(request);
        await using (var part = File.OpenWrite(bed.PartOf(content)))
        {
            if (shorter)
            {
                part.SetLength(10);
            }
            part.WriteByte(0xA5);
        }

        await bed.CompleteAsync(request with { JobId = "job-2" });

        server.Requests[2].Range.ShouldBe("");
        bed.Stored(content).ShouldBe(content);
    }

    private static long From(HttpContext http) =>
        http.Request.Headers.Range.ToString() is { Length: > 0 } range
            ? long.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture)
            : 0;
}
