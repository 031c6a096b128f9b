using EdgeDm.Contracts;
using EdgeDm.FirmwareDownload.Tests.Support;
using EdgeDm.Testing;

namespace EdgeDm.FirmwareDownload.Tests;

/// <summary>The conversation with DeviceManagement: reminders, new addresses, cancels, and what must not be told.</summary>
public sealed class RequestTests
{
    private const string Nowhere = "http://127.0.0.1:1/x";
    private readonly byte[] content = TestFiles.Make(150_000);

    [Fact]
    public async Task Request_AgainAfterCompletion_IsAnsweredUnderTheSameId()
    {
        await using var server = await FileServer.StartAsync(content);
        await using var bed = new DownloadBed();
        var request = DownloadBed.Request(DownloadBed.File(content, server.Url));
        await bed.CompleteAsync(request);

        await bed.SendAsync(request);
        await bed.CompletedAsync(ends: 2);

        bed.Ends().Select(e => (e.MessageId, e.Json)).Distinct().Count().ShouldBe(1);
        bed.Ends()[0].MessageId.ShouldBe("download-job-1-1-completed");
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Request_AgainAfterRestart_IsAnsweredUnderTheSameId()
    {
        await using var server = await FileServer.StartAsync(content);
        await using var bed = new DownloadBed();
        var request = DownloadBed.Request(DownloadBed.File(content, server.Url));
        await bed.CompleteAsync(request);
        var first = bed.Ends()[0];

        await bed.RestartAsync();
        await bed.SendAsync(request);

        (await bed.EndAsync()).ShouldBe(first);
    }

    [Fact]
    public async Task Request_CompletedButOtherAddresses_IsAnsweredWithoutFetching()
    {
        await using var server = await FileServer.StartAsync(content);
        await using var bed = new DownloadBed();
        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        await bed.SendAsync(DownloadBed.Request(DownloadBed.File(content, Nowhere)));

        await bed.CompletedAsync(ends: 2);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Request_CompletedButFileGone_IsFetchedAgain()
    {
        await using var server = await FileServer.StartAsync(content);
        await using var bed = new DownloadBed();
        var request = DownloadBed.Request(DownloadBed.File(content, server.Url));
        await bed.CompleteAsync(request);
        File.Delete(bed.PathOf(content));

        await bed.SendAsync(request);
        await bed.CompletedAsync(ends: 2);

        bed.Stored(content).ShouldBe(content);
        bed.Ends()[1].MessageId.ShouldBe("download-job-1-2-completed");
    }

    [Fact]
    public async Task Request_AgainAfterFailure_IsAnsweredUnderTheSameIdWithoutATry()
    {
        await using var server = await FileServer.StartAsync(content);
        server.Misbehave = (http, _) =>
        {
            http.Response.StatusCode = 403;
            return Task.FromResult(true);
        };
        await using var bed = new DownloadBed();
        var request = DownloadBed.Request(DownloadBed.File(content, server.Url));
        await bed.FailAsync(request);

        await bed.SendAsync(request);
        await bed.FailedAsync(ends: 2);

        bed.Ends()[1].ShouldBe(bed.Ends()[0]);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Request_NewAddressesAfterFailure_ContinuesWithWhatIsThere()
    {
        await using var server = await FileServer.StartAsync(content);
        server.CutAfter = n => n == 0 ? 100_000 : null;
        server.Misbehave = (http, _) =>
        {
            // The first token expires in the middle.
            http.Response.StatusCode =
                http.Request.Headers.Range.Count > 0 && http.Request.Query["t"] == "1" ? 403 : 200;
            return Task.FromResult(http.Response.StatusCode == 403);
        };
        await using var bed = new DownloadBed();
        (await bed.FailAsync(DownloadBed.Request(DownloadBed.File(content, server.Origin + "/f?t=1"))))
            .Parameters["status"]
            .ShouldBe("403");

        await bed.SendAsync(DownloadBed.Request(DownloadBed.File(content, server.Origin + "/f?t=2")));
        var completed = await bed.CompletedAsync(ends: 2);

        server.Requests[^1].Range.ShouldNotBe("");
        completed.Bytes.Fetched.ShouldBe(150_000);
        bed.Ends()[1].MessageId.ShouldBe("download-job-1-2-completed");
    }

    [Fact]
    public async Task Request_NewAddressesWhileRunning_ContinuesWithThose()
    {
        await using var server = await FileServer.StartAsync(content);
        StandStillAfter(server, 70_000);
        await using var bed = new DownloadBed(DownloadBed.Patient);
        await bed.SendAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));
        await bed.FetchedAsync(70_000);

        await bed.SendAsync(DownloadBed.Request(DownloadBed.File(content, server.Origin + "/new")));
        await bed.CompletedAsync();

        bed.Stored(content).ShouldBe(content);
        server.Requests.Select(r => r.Target).Last().ShouldBe("/new");
        server.Requests[1].Range.ShouldNotBe("");
        bed.Ends().Count.ShouldBe(1);
    }

    [Fact]
    public async Task Request_ReminderWhileRunning_IsAnsweredWithProgress()
    {
        await using var server = await FileServer.StartAsync(content);
        StandStillAfter(server, 70_000);
        await using var bed = new DownloadBed(DownloadBed.Patient);
        var request = DownloadBed.Request(DownloadBed.File(content, server.Url));
        await bed.SendAsync(request);
        await bed.FetchedAsync(70_000);
        var before = bed.Hub.Posts.Count;

        await bed.SendAsync(request);

        var progress = bed.Hub.Posts[before];
        (progress.Schema, progress.IsVolatile, progress.ReplaceKey).ShouldBe(
            (Schemas.DownloadProgress, true, "progress-job-1")
        );
        ((long)progress.Body["bytes"]!["fetched"]!).ShouldBeGreaterThanOrEqualTo(70_000);
        ((long)progress.Body["bytes"]!["total"]!).ShouldBe(150_000);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Request_LongTransfer_TellsProgressAtMostEveryTwoSeconds()
    {
        var clock = new FakeTimeProvider();
        await using var server = await FileServer.StartAsync(content);
        var pieces = 0;
        server.Pace = (_, _) =>
        {
            Interlocked.Increment(ref pieces);
            clock.Advance(TimeSpan.FromSeconds(0.5));
            return Task.CompletedTask;
        };
        await using var bed = new DownloadBed(DownloadBed.Quick with { StallWindow = TimeSpan.FromHours(1) }, clock);

        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        pieces.ShouldBe(10);
        bed.Hub.Posts.Count(p => p.Schema == Schemas.DownloadProgress).ShouldBeInRange(1, 1 + (10 / 4));
    }

    [Fact]
    public async Task Cancel_WhileRunning_EndsTheRequestAndKeepsThePart()
    {
        await using var server = await FileServer.StartAsync(content);
        var aborted = new TaskCompletionSource();
        server.Pace = async (sent, cancel) =>
        {
            if (sent >= 70_000 && server.Requests.Count == 1)
            {
                cancel.Register(() => aborted.TrySetResult());
                await Task.Delay(Timeout.Infinite, cancel);
            }
        };
        await using var bed = new DownloadBed(DownloadBed.Patient);
        var request = DownloadBed.Request(DownloadBed.File(content, server.Url));
        await bed.SendAsync(request);
        await bed.FetchedAsync(70_000);

        await bed.CancelAsync("job-1");
        await aborted.Task.WaitAsync(DownloadBed.Limit); // Nothing else would end it: the stall window is longer.

        File.Exists(bed.PartOf(content)).ShouldBeTrue();
        await bed.CompleteAsync(request with { JobId = "job-2" });
        server.Requests[1].Range.ShouldNotBe("");
        bed.Ends().ShouldBeEmpty();
    }

    [Fact]
    public async Task Cancel_WhileWaitingToRetry_EndsTheRequest()
    {
        await using var bed = new DownloadBed(
            DownloadBed.Quick with
            {
                RetryBase = TimeSpan.FromHours(1),
                RetryCap = TimeSpan.FromHours(1),
            }
        );
        var request = DownloadBed.Request(DownloadBed.File(content, Nowhere));
        await bed.SendAsync(request);

        await bed.CancelAsync("job-1");
        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File([], Nowhere)) with { JobId = "job-2" });
        await bed.SendAsync(request);

        (await bed.FailedAsync()).Code.ShouldBe(ErrorRegistry.JobCancelled.Code);
    }

    [Fact]
    public async Task Cancel_WhileInLine_IsNeverBegun()
    {
        await using var server = await FileServer.StartAsync(content);
        StandStillAfter(server, 70_000);
        await using var bed = new DownloadBed(DownloadBed.Patient);
        await bed.SendAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));
        await bed.FetchedAsync(70_000);
        await bed.SendAsync(
            DownloadBed.Request(DownloadBed.File(TestFiles.Make(10), server.Origin + "/second")) with
            {
                JobId = "job-2",
            }
        );

        await bed.CancelAsync("job-2");
        await bed.CancelAsync("job-1");
        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File([], Nowhere)) with { JobId = "job-3" });

        server.Requests.ShouldNotContain(r => r.Target == "/second");
    }

    [Fact]
    public async Task Cancel_UnknownOrCompleted_ChangesNothing()
    {
        await using var server = await FileServer.StartAsync(content);
        await using var bed = new DownloadBed();
        var request = DownloadBed.Request(DownloadBed.File(content, server.Url));
        await bed.CancelAsync("job-9");
        await bed.CompleteAsync(request);

        await bed.CancelAsync("job-1");
        await bed.SendAsync(request);

        await bed.CompletedAsync(ends: 2);
        bed.Hub.Dropped.ShouldBeEmpty();
    }

    [Fact]
    public async Task Request_Two_AreWorkedOnOneAfterTheOther()
    {
        var second = TestFiles.Make(1000, seed: 3);
        await using var server = await FileServer.StartAsync(content);
        await using var other = await FileServer.StartAsync(second);
        var go = new TaskCompletionSource();
        server.Pace = (_, cancel) => go.Task.WaitAsync(cancel);
        await using var bed = new DownloadBed(DownloadBed.Patient);

        await bed.SendAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));
        await bed.SendAsync(DownloadBed.Request(DownloadBed.File(second, other.Url)) with { JobId = "job-2" });
        await bed.Hub.WaitForPostAsync(Schemas.DownloadProgress);
        other.Requests.ShouldBeEmpty();
        go.SetResult();

        await bed.CompletedAsync("job-2");
        bed.Hub.Posts.Where(p => !p.IsVolatile).Select(p => (string?)p.Body["jobId"]).ShouldBe(["job-1", "job-2"]);
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    public async Task Request_MoreThanMaxWaiting_AreLeftToTheReminder(int sent, int taken)
    {
        await using var bed = new DownloadBed(
            DownloadBed.Quick with
            {
                MaxWaiting = 2,
                RetryBase = TimeSpan.FromHours(1),
                RetryCap = TimeSpan.FromHours(1),
            }
        );

        for (var i = 0; i < sent; i++)
        {
            await bed.SendAsync(DownloadBed.Request(DownloadBed.File(content, Nowhere)) with { JobId = $"job-{i}" });
        }

        Directory.GetFiles(Path.Combine(bed.Data, "downloads")).Length.ShouldBe(taken);
    }

    [Fact]
    public async Task Ping_AtItsInput_IsAnsweredAtItsOutput()
    {
        await using var bed = new DownloadBed();

        await bed.Hub.DeliverInputAsync(Routes.Downloads, Schemas.Ping, """{"pingId":"p1"}""");

        var pong = await bed.Hub.WaitForPostAsync(Schemas.Pong);
        (pong.Output, pong.IsVolatile).ShouldBe((Routes.Downloads, true));
        pong.Json.ShouldBe("""{"pingId":"p1","module":"FirmwareDownload","version":"1.2.3"}""");
    }

    [Theory]
    [InlineData(Schemas.DownloadRequest, "{")]
    [InlineData(Schemas.DownloadRequest, "null")]
    [InlineData(Schemas.DownloadRequest, "{}")]
    [InlineData(Schemas.DownloadRequest, """{"jobId":"../x","files":[]}""")]
    [InlineData(Schemas.DownloadCancel, """{"jobId":""}""")]
    [InlineData(Schemas.DownloadCancel, "[]")]
    [InlineData("edgedm.other.v1", "{}")]
    [InlineData("", "{}")]
    public async Task Input_Nonsense_IsDropped(string schema, string json)
    {
        await using var bed = new DownloadBed();

        await bed.Hub.DeliverInputAsync(Routes.Downloads, schema, json);

        bed.Hub.Dropped.Count.ShouldBe(1);
        Directory.GetFiles(Path.Combine(bed.Data, "downloads")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Request_Failing_TokensAppearNowhereButInTheRecord()
    {
        await using var server = await FileServer.StartAsync(TestFiles.Make(150_000, seed: 4));
        var number = 0;
        server.Misbehave = (http, _) =>
        {
            switch (number++)
            {
                case 0:
                    http.Response.StatusCode = 302;
                    http.Response.Headers.Location = $"/else?token={TestFiles.Token}";
                    return Task.FromResult(true);
                case 1:
                    http.Response.StatusCode = 503;
                    return Task.FromResult(true);
                default:
                    return Task.FromResult(false);
            }
        };
        await using var bed = new DownloadBed();
        var record = Path.Combine(bed.Data, "downloads", "job-1.json");

        await bed.SendAsync(
            DownloadBed.Request(
                DownloadBed.File(content, server.Url, $"http://127.0.0.1:1/x?token={TestFiles.Token}", server.Url)
            )
        );
        await bed.FailedAsync();

        bed.Log.ShouldContain("digestMismatch");
        bed.Log.ShouldNotContain(TestFiles.Token);
        bed.Hub.Posts.ShouldAllBe(p => !p.Json.Contains(TestFiles.Token));
        (await File.ReadAllTextAsync(record)).ShouldNotContain(TestFiles.Token); // Answered: no longer needed.
    }

    [Fact]
    public async Task Request_Waiting_RecordIsForItsOwnerOnly()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Unix permissions.");
            return;
        }
        await using var server = await FileServer.StartAsync(content);
        StandStillAfter(server, 0);
        await using var bed = new DownloadBed(DownloadBed.Patient);

        await bed.SendAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        var record = Path.Combine(bed.Data, "downloads", "job-1.json");
        (await File.ReadAllTextAsync(record)).ShouldContain(TestFiles.Token);
        Convert.ToString((int)File.GetUnixFileMode(record), 8).ShouldBe("600");
    }

    [Fact]
    public async Task Start_DamagedRecord_IsSetAsideAndTheOthersGoOn()
    {
        await using var server = await FileServer.StartAsync(content);
        await using var bed = new DownloadBed();
        await bed.StopAsync();
        var damaged = Path.Combine(bed.Data, "downloads", "job-0.json");
        await File.WriteAllTextAsync(damaged, "{\"format\":1,\"value\":{}}");

        await bed.RestartAsync();
        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));

        File.Exists(damaged).ShouldBeFalse();
        Directory.GetFiles(Path.Combine(bed.Data, "downloads"), "job-0.json.damaged-*").Length.ShouldBe(1);
    }

    [Fact]
    public async Task Start_OldRecordsAndFiles_AreSwept()
    {
        await using var server = await FileServer.StartAsync(content);
        await using var bed = new DownloadBed();
        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File(content, server.Url)));
        var forgotten = Path.Combine(bed.Store, "sha256", new string('a', 64));
        var part = Path.Combine(bed.Store, "partial", "bundle-a.part.1.part");
        foreach (var path in new[] { forgotten, part, bed.PathOf(content) })
        {
            await File.AppendAllTextAsync(path, "");
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow - bed.Options.KeepFor - TimeSpan.FromMinutes(1));
        }

        await bed.RestartAsync();
        await bed.CompleteAsync(DownloadBed.Request(DownloadBed.File([], Nowhere)) with { JobId = "job-2" });

        File.Exists(forgotten).ShouldBeFalse();
        File.Exists(part).ShouldBeFalse();
        bed.Stored(content).ShouldBe(content); // Old, but a record still names it.
    }

    private static void StandStillAfter(FileServer server, long bytes) =>
        server.Pace = async (sent, cancel) =>
        {
            if (sent >= bytes && server.Requests.Count == 1)
            {
                await Task.Delay(Timeout.Infinite, cancel);
            }
        };
}
