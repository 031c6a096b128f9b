using System.Collections.Immutable;

namespace EdgeDm.Contracts;

/// <summary>
/// DeviceManagement asks for files. Sent again every minute until answered, always with the same <see cref="JobId"/>:
/// a known one is a reminder (answer with the present state), one with other addresses continues with those.
/// </summary>
/// <param name="JobId">The job; one download per job.</param>
/// <param name="Files">Files to fetch into the store; empty when <paramref name="BundleUrl"/> is given.</param>
/// <param name="BundleUrl">Address of an update bundle to fetch and unpack into the store; null otherwise. May carry a token: never logged.</param>
public sealed record DownloadRequest(string JobId, ImmutableArray<DownloadFile> Files, string? BundleUrl = null);

/// <summary>One file of a download.</summary>
/// <param name="FileId">The manifest's id of the file.</param>
/// <param name="FileName">The file's name, for people.</param>
/// <param name="SizeInBytes">Exact size.</param>
/// <param name="Sha256">Digest, 64 lower-case hexadecimal digits.</param>
/// <param name="Urls">Addresses in order of preference. May carry tokens: never logged, never echoed.</param>
public sealed record DownloadFile(
    string FileId,
    string FileName,
    long SizeInBytes,
    string Sha256,
    ImmutableArray<string> Urls
);

/// <summary>DeviceManagement no longer wants the files of a job. Stored parts may be kept for a later job.</summary>
public sealed record DownloadCancel(string JobId);

/// <summary>How far a download is; at most every 2 s, not kept when the hub is away.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Bytes">Totals so far.</param>
/// <param name="Waits">Why it does not go on at present, although it has not failed; null when it goes on.</param>
public sealed record DownloadProgress(string JobId, DownloadBytes Bytes, ErrorObject? Waits = null);

/// <summary>
/// All files are in the store, synchronised to disk and verified.
/// </summary>
/// <param name="JobId">The job.</param>
/// <param name="Bytes">Totals.</param>
/// <param name="Files">What the store now holds for this job.</param>
/// <param name="UpdateManifest">The bundle's manifest, exactly its bytes as text; null when single files were asked for.</param>
/// <param name="UpdateManifestSignature">The bundle's signature; null likewise.</param>
public sealed record DownloadCompleted(
    string JobId,
    DownloadBytes Bytes,
    ImmutableArray<StoredFile> Files,
    string? UpdateManifest = null,
    string? UpdateManifestSignature = null
);

/// <summary>The download ended without all files. Whether it is worth another try, the error's code says.</summary>
public sealed record DownloadFailed(string JobId, ErrorObject Error, DownloadBytes Bytes);

/// <summary>A file in the package store.</summary>
public sealed record StoredFile(string FileId, string Sha256, long SizeInBytes);

/// <summary>Byte counts of a download.</summary>
/// <param name="Fetched">Received over the network for this job, repeats included.</param>
/// <param name="Reused">Not fetched because the store had them.</param>
/// <param name="Total">Sum of the files' sizes; 0 while not known.</param>
public sealed record DownloadBytes(long Fetched, long Reused, long Total);
