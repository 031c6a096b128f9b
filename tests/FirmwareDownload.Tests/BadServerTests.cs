using EdgeDm.Contracts;
using EdgeDm.FirmwareDownload.Tests.Support;
using EdgeDm.Testing;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.FirmwareDownload.Tests;

/// <summary>Every way in which a server or the way to it can be wrong, and the error that it becomes.</summary>
public sealed class BadServerTests
{
    private readonly byte[] content = TestFiles.Make(100_000);

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(410)]
    [InlineData(501)]
    [InlineData(304)]
    public async Task Fetch_FinalStatus_FailsAfterOneRequest(int status)
    {
        await using var server = await FileServer.StartAsync(content);
        server.Misbehave = Answer(_ => status);
        await using var bed = new DownloadBed();

        var error = await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        error.Name.ShouldBe(status is 401 or 403 ? "urlRefused" : "httpStatus");
        error.Parameters["status"].ShouldBe($"{status}");
        error.Parameters["server"].ShouldBe(server.Origin);
        server.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(408)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task Fetch_PassingStatus_IsTriedAgain(int status)
    {
        await using var server = await FileServer.StartAsync(content);
        server.Misbehave = Answer(number => number < 2 ? status : 0);
        await using var bed = new DownloadBed();

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        server.Requests.Count.ShouldBe(3);
    }

    [Fact]
    public async Task Fetch_PassingStatusForEver_FailsAfterMaxAttempts()
    {
        await using var server = await FileServer.StartAsync(content);
        server.Misbehave = Answer(_ => 503);
        await using var bed = new DownloadBed();

        var error = await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        error.Parameters["status"].ShouldBe("503");
        server.Requests.Count.ShouldBe(bed.Options.MaxAttempts);
    }

    [Fact]
    public async Task Fetch_GiveUpAfterPassed_Fails()
    {
        await using var server = await FileServer.StartAsync(content);
        server.Misbehave = Answer(_ => 503);
        var clock = new FakeTimeProvider();
        await using var bed = new DownloadBed(
            DownloadBed.Quick with
            {
                MaxAttempts = int.MaxValue,
                GiveUpAfter = TimeSpan.FromHours(1),
                RetryBase = TimeSpan.FromMinutes(45),
                RetryCap = TimeSpan.FromMinutes(45),
                StallWindow = TimeSpan.FromHours(5),
            },
            clock
        );

        await bed.SendAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));
        await clock.WaitForTimerAsync(TimeSpan.FromMinutes(45));
        clock.Advance(TimeSpan.FromMinutes(45));
        await clock.WaitForTimerAsync(TimeSpan.FromMinutes(45));
        bed.Ends().ShouldBeEmpty();
        clock.Advance(TimeSpan.FromMinutes(45));

        (await bed.FailedAsync()).Code.ShouldBe(ErrorRegistry.HttpStatus.Code);
        server.Requests.Count.ShouldBe(3);
    }

    [Theory]
    [InlineData("120", 120)]
    [InlineData("86400", 3600)]
    [InlineData("date", 90)]
    public async Task Fetch_RetryAfter_IsObeyedUpToTheBound(string value, int seconds)
    {
        await using var server = await FileServer.StartAsync(content);
        server.Misbehave = async (http, number) =>
        {
            if (number == 0)
            {
                var date = new DateTimeOffset(2026, 5, 5, 5, 5, 5, TimeSpan.Zero);
                http.Response.Headers.Date = date.ToString("R");
                http.Response.Headers.RetryAfter = value == "date" ? date.AddSeconds(90).ToString("R") : value;
            }
            return await Answer(n => n == 0 ? 429 : 0)(http, number);
        };
        var clock = new FakeTimeProvider();
        await using var bed = new DownloadBed(DownloadBed.Quick with { StallWindow = TimeSpan.FromHours(5) }, clock);

        await bed.SendAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(seconds));
        server.Requests.Count.ShouldBe(1);
        clock.Advance(TimeSpan.FromSeconds(seconds));

        await bed.CompletedAsync();
    }

    [Theory]
    [InlineData(5, true)]
    [InlineData(6, false)]
    public async Task Fetch_Redirects_AreFollowedUpToTheBound(int redirects, bool succeeds)
    {
        await using var server = await FileServer.StartAsync(content);
        server.Misbehave = (http, number) =>
        {
            if (number >= redirects)
            {
                return Task.FromResult(false);
            }
            http.Response.StatusCode = new[] { 301, 302, 303, 307, 308 }[number % 5];
            http.Response.Headers.Location = number % 2 == 0 ? $"/hop-{number}" : $"{server.Origin}/hop-{number}";
            return Task.FromResult(true);
        };
        await using var bed = new DownloadBed();

        await bed.SendAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        if (succeeds)
        {
            await bed.CompletedAsync();
        }
        else
        {
            (await bed.FailedAsync()).Code.ShouldBe(ErrorRegistry.TooManyRedirects.Code);
            server.Requests.Count.ShouldBe(6);
        }
    }

    [Theory]
    [InlineData("ftp://127.0.0.1/x")]
    [InlineData("file:///etc/passwd")]
    public async Task Fetch_RedirectOutOfTheWeb_IsRefused(string location)
    {
        await using var server = await FileServer.StartAsync(content);
        server.Misbehave = (http, _) =>
        {
            (http.Response.StatusCode, http.Response.Headers.Location) = (302, location);
            return Task.FromResult(true);
        };
        await using var bed = new DownloadBed();

        var error = await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        error.Code.ShouldBe(ErrorRegistry.InsecureRedirect.Code);
    }

    [Fact]
    public async Task Fetch_ContentEncoding_IsRefused()
    {
        await using var server = await FileServer.StartAsync(content);
        server.Misbehave = async (http, _) =>
        {
            http.Response.Headers.ContentEncoding = "gzip";
            await server.SendBodyAsync(http, 0, content.Length);
            return true;
        };
        await using var bed = new DownloadBed();

        var error = await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        error.Code.ShouldBe(ErrorRegistry.BadAnswer.Code);
        error.Message.ShouldContain("Content-Encoding");
    }

    [Theory]
    [InlineData(99_999)]
    [InlineData(100_001)]
    public async Task Fetch_AnnouncedSizeIsWrong_IsRefusedBeforeTheBody(int announced)
    {
        await using var server = await FileServer.StartAsync(TestFiles.Make(announced));
        await using var bed = new DownloadBed();

        var error = await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        error.Code.ShouldBe(ErrorRegistry.WrongSize.Code);
        server.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(99_999)]
    [InlineData(100_001)]
    [InlineData(0)]
    public async Task Fetch_UnannouncedSizeIsWrong_IsRefused(int sent)
    {
        await using var server = await FileServer.StartAsync(TestFiles.Make(sent));
        server.Misbehave = async (http, _) =>
        {
            await server.SendBodyAsync(http, 0, sent); // Chunked.
            return true;
        };
        await using var bed = new DownloadBed();

        var error = await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        error.Code.ShouldBe(ErrorRegistry.WrongSize.Code);
        File.Exists(bed.PartOf(content)).ShouldBeFalse();
    }

    [Fact]
    public async Task Fetch_UnannouncedRightSize_IsTaken()
    {
        await using var server = await FileServer.StartAsync(content);
        server.Misbehave = async (http, _) =>
        {
            await server.SendBodyAsync(http, 0, content.Length);
            return true;
        };
        await using var bed = new DownloadBed();

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        bed.Stored(content).ShouldBe(content);
    }

    [Fact]
    public async Task Fetch_BodyStalls_GoesOnWithANewRequest()
    {
        await using var server = await FileServer.StartAsync(content);
        server.Pace = async (sent, cancel) =>
        {
            if (sent >= 50_000 && server.Requests.Count == 1)
            {
                await Task.Delay(Timeout.Infinite, cancel);
            }
        };
        await using var bed = new DownloadBed(DownloadBed.Quick with { StallWindow = TimeSpan.FromMilliseconds(400) });

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        server.Requests[1].Range.ShouldNotBe("");
        bed.Log.ShouldContain("stalled");
    }

    [Fact]
    public async Task Fetch_NoAnswerAtAll_FailsAsStalled()
    {
        await using var server = await FileServer.StartAsync(content);
        server.Misbehave = async (http, _) =>
        {
            await Task.Delay(Timeout.Infinite, http.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            return true;
        };
        await using var bed = new DownloadBed(
            DownloadBed.Quick with
            {
                MaxAttempts = 2,
                StallWindow = TimeSpan.FromMilliseconds(200),
            }
        );

        var error = await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        error.Code.ShouldBe(ErrorRegistry.Stalled.Code);
        server.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Fetch_NobodyListens_FailsAsConnectionFailed()
    {
        await using var bed = new DownloadBed();

        var error = await bed.FailAsync(
            DownloadBed.Request(DownloadBed.File(content, $"http://127.0.0.1:1/x?token={TestFiles.Token}"))
        );

        error.Code.ShouldBe(ErrorRegistry.ConnectionFailed.Code);
        error.Message.ShouldContain("http://127.0.0.1:1");
        error.Message.ShouldContain("ConnectionError");
    }

    [Fact]
    public async Task Fetch_EachAttemptBringsLessThanTheLowestSpeed_EndsWithinMaxAttempts()
    {
        await using var server = await FileServer.StartAsync(content);
        server.CutAfter = _ => (long)DownloadBed.Quick.LeastProgressBytes - 1;
        await using var bed = new DownloadBed();

        var error = await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        error.Code.ShouldBe(ErrorRegistry.ConnectionFailed.Code);
        // The third attempt has brought enough in sum to count once.
        server.Requests.Count.ShouldBeLessThanOrEqualTo(2 * bed.Options.MaxAttempts);
    }

    [Theory]
    [InlineData(404, false)]
    [InlineData(403, true)]
    public async Task Fetch_FailedHalfWay_KeepsThePartOnlyForFreshAddresses(int status, bool kept)
    {
        await using var server = await FileServer.StartAsync(content);
        server.CutAfter = number => number == 0 ? 70_000 : null;
        server.Misbehave = Answer(number => number == 0 ? 0 : status);
        await using var bed = new DownloadBed();

        await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        File.Exists(bed.PartOf(content)).ShouldBe(kept);
    }

    [Fact]
    public async Task Fetch_SecondAddressHasExpired_AsksForFreshOnes()
    {
        await using var server = await FileServer.StartAsync(content);
        server.Misbehave = Answer(number => number == 0 ? 404 : 403);
        await using var bed = new DownloadBed();

        var error = await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, server.Url, server.Url + "?2")));

        error.Code.ShouldBe(ErrorRegistry.UrlRefused.Code);
    }

    [Fact]
    public async Task Fetch_AlwaysCutWithoutValidators_EndsWithinMaxAttempts()
    {
        await using var server = await FileServer.StartAsync(content);
        server.ETag = null;
        server.CutAfter = _ => 50_000;
        await using var bed = new DownloadBed();

        var error = await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        error.Code.ShouldBe(ErrorRegistry.ConnectionFailed.Code);
        server.Requests.Count.ShouldBeLessThanOrEqualTo(3 * bed.Options.MaxAttempts);
    }

    private static Func<HttpContext, int, Task<bool>> Answer(Func<int, int> status) =>
        (http, number) =>
        {
            if (status(number) == 0)
            {
                return Task.FromResult(false);
            }
            http.Response.Headers.ETag = "";
            http.Response.StatusCode = status(number);
            return Task.FromResult(true);
        };
}
