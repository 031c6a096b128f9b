using EdgeDm.Contracts;
using EdgeDm.FirmwareDownload.Http;
using EdgeDm.FirmwareDownload.Store;

namespace EdgeDm.FirmwareDownload.Downloads;

/// <summary>The work of one request: every file into the store, counted. Ends with the answer or an exception.</summary>
/// <param name="record">What to do.</param>
/// <param name="store">Where to.</param>
/// <param name="fetcher">How.</param>
/// <param name="options">Bounds.</param>
/// <param name="progressed">Called whenever <see cref="Bytes"/> has changed: with every read from the network.</param>
internal sealed class DownloadRun(
    DownloadRecord record,
    PackageStore store,
    FileFetcher fetcher,
    DownloadOptions options,
    Action<DownloadRun> progressed
)
{
    private long fetched = record.Bytes.Fetched;
    private long reused;
    private long total = record.Request.Files.DistinctBy(f => f.Sha256).Sum(f => f.SizeInBytes);

    /// <summary>Totals so far; may be asked for from any thread.</summary>
    public DownloadBytes Bytes => new(Volatile.Read(ref fetched), Volatile.Read(ref reused), Volatile.Read(ref total));

    /// <summary>The name of a bundle's part: its digest is not known before it is there.</summary>
    public static string BundlePart(string jobId) => $"bundle-{jobId}";

    /// <summary>Does the work.</summary>
    public Task<DownloadCompleted> RunAsync(CancellationToken cancel)
    {
        RequestCheck.Check(record.Request, options);
        progressed(this);
        return record.Request.BundleUrl is { } bundle ? FetchBundleAsync(bundle, cancel) : FetchFilesAsync(cancel);
    }

    private async Task<DownloadCompleted> FetchFilesAsync(CancellationToken cancel)
    {
        var missing = new List<DownloadFile>();
        foreach (var file in record.Request.Files.DistinctBy(f => f.Sha256))
        {
            if (await store.HasIntactAsync(file.Sha256, file.SizeInBytes, cancel))
            {
                reused += file.SizeInBytes;
                store.RemovePart(file.Sha256); // Its record, when a kill fell between the move into the store and its removal.
            }
            else
            {
                missing.Add(file);
            }
        }
        progressed(this);
        store.RequireSpace(missing.Sum(f => Math.Max(0, f.SizeInBytes - store.Reserved(f.Sha256))));
        foreach (var file in missing)
        {
            await FetchFileAsync(file, cancel);
        }
        return new(
            record.JobId,
            Bytes,
            [.. record.Request.Files.Select(f => new StoredFile(f.FileId, f.Sha256, f.SizeInBytes))]
        );
    }

    /// <summary>A wrong digest speaks against the address that it came from, so the next one gets its chance.</summary>
    private async Task FetchFileAsync(DownloadFile file, CancellationToken cancel)
    {
        var sources = file.Urls.Select(u => DownloadSource.Parse(u, options, file.FileId)).ToList();
        while (true)
        {
            string digest;
            using (var part = store.Part(file.Sha256, file.SizeInBytes))
            {
                await ResumeAsync(part, cancel);
                part.Reserve();
                await FetchPartAsync(sources, part, file.FileId, cancel);
                digest = part.Seal();
            }
            try
            {
                store.Accept(file.Sha256, digest, file.Sha256, file.FileId);
                return;
            }
            catch (EdgeDmException error)
                when (error.Error.Code == ErrorRegistry.DigestMismatch.Code
                    && sources.Find(s => !s.IsFinal && s.LastError is null) is { } culprit
                    && sources.Any(s => s != culprit && !s.IsFinal)
                )
            {
                culprit.IsFinal = true;
                culprit.LastError = error.Error;
            }
        }
    }

    private async Task<DownloadCompleted> FetchBundleAsync(string url, CancellationToken cancel)
    {
        var name = BundlePart(record.JobId);
        using (var part = store.Part(name, size: null))
        {
            await ResumeAsync(part, cancel);
            await FetchPartAsync([DownloadSource.Parse(url, options, "bundleUrl")], part, "bundleUrl", cancel);
            total = part.Length;
            _ = part.Seal();
        }
        var unpacked = await BundleUnpacker.UnpackAsync(store, name, options, cancel);
        store.RemovePart(name);
        return new(record.JobId, Bytes, unpacked.Files, unpacked.Manifest, unpacked.Signature);
    }

    private async Task FetchPartAsync(
        List<DownloadSource> sources,
        PartialFile part,
        string context,
        CancellationToken cancel
    )
    {
        try
        {
            await fetcher.FetchAsync(sources, part, context, bytes => Count(part, bytes), cancel);
        }
        finally
        {
            if (part.Length == 0)
            {
                part.Reset(); // Nothing came: give the reserved room back.
            }
        }
    }

    private async Task ResumeAsync(PartialFile part, CancellationToken cancel)
    {
        if (await part.ResumeAsync(cancel) is { } found && found.JobId == record.JobId)
        {
            fetched = Math.Max(fetched, found.Fetched);
        }
        part.Account = (record.JobId, fetched);
        progressed(this);
    }

    private void Count(PartialFile part, int bytes)
    {
        Volatile.Write(ref fetched, fetched + bytes);
        if (part.GivenSize is null)
        {
            total = part.ExpectedSize ?? 0;
        }
        part.Account = (record.JobId, fetched);
        progressed(this);
    }
}
