using System.Collections.Immutable;
using System.Text;
using EdgeDm.Contracts;
using EdgeDm.FirmwareDownload.Tests.Support;
using EdgeDm.Updates;

namespace EdgeDm.FirmwareDownload.Tests;

/// <summary>A bundle is fetched like a file and ends as its files in the store.</summary>
public sealed class BundleTests
{
    private static readonly Dictionary<string, byte[]> Contents = new(StringComparer.Ordinal)
    {
        ["install.sh"] = Encoding.UTF8.GetBytes("#!/bin/sh\n"),
        ["image.bin"] = TestFiles.Make(200_000),
        ["empty"] = [],
    };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Request_Bundle_FilesAreStoredAndManifestIsTold(bool detached)
    {
        var built = Build(detached);
        await using var server = await FileServer.StartAsync(await PackAsync(built));
        await using var bed = new DownloadBed();

        var completed = await bed.CompleteAsync(Request(server));

        completed.UpdateManifest.ShouldBe(Encoding.UTF8.GetString(built.Attached.Span));
        completed.UpdateManifestSignature.ShouldBe("a.b.c");
        completed.Files.Length.ShouldBe(Contents.Count + (detached ? 1 : 0));
        foreach (var (name, content) in Contents)
        {
            bed.Stored(content).ShouldBe(content);
            var file = completed.Files.Single(f => f.FileId == ManifestBuilder.FileIdOf(name));
            file.ShouldBe(new(file.FileId, TestFiles.Digest(content), content.Length));
        }
        completed.Bytes.ShouldBe(new(server.Content.Length, 0, server.Content.Length));
        Directory.GetFiles(Path.Combine(bed.Store, "partial")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Request_BundleConnectionCut_IsResumed()
    {
        await using var server = await FileServer.StartAsync(await PackAsync(Build()));
        server.CutAfter = n => n == 0 ? 100_000 : null;
        await using var bed = new DownloadBed();

        await bed.CompleteAsync(Request(server));

        server.Requests[1].Range.ShouldNotBe("");
        server.Requests[1].IfRange.ShouldBe("\"v1\"");
    }

    [Fact]
    public async Task Request_BundleChangedWhileFetched_IsFetchedWhole()
    {
        await using var server = await FileServer.StartAsync(TestFiles.Make(150_000));
        server.CutAfter = n => n == 0 ? 100_000 : null;
        var bundle = await PackAsync(Build());
        server.Misbehave = (http, number) =>
        {
            if (number == 1)
            {
                (server.Content, server.ETag) = (bundle, "\"v2\"");
                http.Response.Headers.ETag = server.ETag;
            }
            return Task.FromResult(false);
        };
        await using var bed = new DownloadBed();

        var completed = await bed.CompleteAsync(Request(server));

        completed.Bytes.Total.ShouldBe(bundle.Length);
    }

    [Fact]
    public async Task Request_BundleOfUnannouncedSize_IsTaken()
    {
        await using var server = await FileServer.StartAsync(await PackAsync(Build()));
        server.Misbehave = async (http, _) =>
        {
            await server.SendBodyAsync(http, 0, server.Content.Length);
            return true;
        };
        await using var bed = new DownloadBed();

        (await bed.CompleteAsync(Request(server))).Files.Length.ShouldBe(3);
    }

    [Fact]
    public async Task Request_BundleEndsEarly_IsMalformedAndRemoved()
    {
        await using var server = await FileServer.StartAsync((await PackAsync(Build()))[..^50_000]);
        await using var bed = new DownloadBed();

        var error = await bed.FailAsync(Request(server));

        error.Code.ShouldBe(ErrorRegistry.BundleMalformed.Code);
        Directory.GetFiles(Path.Combine(bed.Store, "partial"), "bundle-*").ShouldBeEmpty();
    }

    [Fact]
    public async Task Request_NoBundle_IsMalformed()
    {
        await using var server = await FileServer.StartAsync(TestFiles.Make(100_000));
        await using var bed = new DownloadBed();

        (await bed.FailAsync(Request(server))).Code.ShouldBe(ErrorRegistry.BundleMalformed.Code);
    }

    [Fact]
    public async Task Request_BundledFileWithOtherBytes_FailsWithDigestMismatch()
    {
        var bundle = await PackAsync(Build());
        bundle[bundle.AsSpan().IndexOf(Contents["image.bin"].AsSpan(0, 100)) + 5] ^= 1;
        await using var server = await FileServer.StartAsync(bundle);
        await using var bed = new DownloadBed();

        var error = await bed.FailAsync(Request(server));

        error.Code.ShouldBe(ErrorRegistry.DigestMismatch.Code);
        error.Context.ShouldBe(ManifestBuilder.FileIdOf("image.bin"));
        Directory.GetFiles(Path.Combine(bed.Store, "partial")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(2, false)]
    public async Task Request_BundleOfManyFiles_IsTakenUpToTheBound(int bound, bool succeeds)
    {
        await using var server = await FileServer.StartAsync(await PackAsync(Build()));
        await using var bed = new DownloadBed(DownloadBed.Quick with { MaxFiles = bound });

        await bed.SendAsync(Request(server));

        (await bed.EndAsync()).Schema.ShouldBe(succeeds ? Schemas.DownloadCompleted : Schemas.DownloadFailed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Request_BundleAboveTheBound_IsRefused(bool announced)
    {
        await using var server = await FileServer.StartAsync(await PackAsync(Build()));
        server.Misbehave = async (http, _) =>
        {
            if (!announced)
            {
                await server.SendBodyAsync(http, 0, server.Content.Length);
            }
            return !announced;
        };
        await using var bed = new DownloadBed(DownloadBed.Quick with { MaxFileBytes = server.Content.Length - 1 });

        (await bed.FailAsync(Request(server))).Code.ShouldBe(ErrorRegistry.WrongSize.Code);
    }

    private static DownloadRequest Request(FileServer server) => new("job-1", [], server.Url);

    private static BuiltManifest Build(bool detached = false) =>
        ManifestBuilder.Build(
            new(
                new("Contoso", "Gateway", "2.0.0"),
                [ImmutableSortedDictionary<string, string>.Empty.Add("deviceManufacturer", "Contoso")],
                [
                    .. Enumerable.Repeat(
                        new StepDescription(
                            "microsoft/script:1",
                            [.. Contents.Keys],
                            Description: new string('d', detached ? 900 : 1)
                        ),
                        5
                    ),
                ],
                [.. Contents.Select(c => new FileDescription(c.Key, c.Value.Length, TestFiles.Digest(c.Value)))],
                new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero)
            )
        );

    private static async Task<byte[]> PackAsync(BuiltManifest built)
    {
        using var stream = new MemoryStream();
        await UpdateBundle.WriteAsync(
            stream,
            built,
            "a.b.c",
            f => new MemoryStream(Contents[f.FileName], writable: false),
            default
        );
        return stream.ToArray();
    }
}
