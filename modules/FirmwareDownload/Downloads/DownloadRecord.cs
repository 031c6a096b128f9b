using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using EdgeDm.Contracts;

namespace EdgeDm.FirmwareDownload.Downloads;

/// <summary>
/// A request as it is kept. Holds addresses, which may carry tokens, only while the work is to be done; the file is 0600.
/// </summary>
/// <param name="Request">What was asked for; without addresses once it is answered.</param>
/// <param name="RequestDigest">Digest of the request as it came, to tell a reminder from new addresses.</param>
/// <param name="Sequence">Place in the line.</param>
/// <param name="Round">Grows with each set of addresses; part of the answer's message id.</param>
/// <param name="State">One of <see cref="DownloadState"/>.</param>
/// <param name="Bytes">Totals so far.</param>
/// <param name="ChangedAt">When the state changed last, UTC.</param>
/// <param name="Completed">The answer, once completed.</param>
/// <param name="Error">The answer, once failed.</param>
internal sealed record DownloadRecord(
    DownloadRequest Request,
    string RequestDigest,
    long Sequence,
    int Round,
    string State,
    DownloadBytes Bytes,
    DateTimeOffset ChangedAt,
    DownloadCompleted? Completed = null,
    ErrorObject? Error = null
)
{
    /// <summary>The job.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string JobId => Request.JobId;

    /// <summary>The same result always travels under the same id, so a receiver can drop what it has seen.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string AnswerId => $"download-{JobId}-{Round}-{State}";

    /// <summary>Nothing is left to be done.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsTerminal => State != DownloadState.Waiting;

    /// <summary>Failed, and not for want of fresh addresses only.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsLost => State == DownloadState.Failed && Error?.Code != ErrorRegistry.UrlRefused.Code;

    /// <summary>Names of the parts that the work may leave in the store.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public IEnumerable<string> PartNames => Request.Files.Select(f => f.Sha256).Append(DownloadRun.BundlePart(JobId));

    /// <summary>Digest of a request, its addresses included.</summary>
    public static string DigestOf(DownloadRequest request) =>
        Convert.ToHexStringLower(
            SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(request, ContractsJson.Default.DownloadRequest))
        );

    /// <summary>The record with its end; addresses go.</summary>
    public DownloadRecord Ended(string state, DownloadBytes bytes, DateTimeOffset now) =>
        this with
        {
            State = state,
            Bytes = bytes,
            ChangedAt = now,
            Request = Request with
            {
                BundleUrl = null,
                Files = Request.Files.Select(f => f with { Urls = [] }).ToImmutableArray(),
            },
        };
}

/// <summary>States of a request.</summary>
internal static class DownloadState
{
    /// <summary>In line or being worked on.</summary>
    public const string Waiting = "waiting";

    /// <summary>All files are in the store.</summary>
    public const string Completed = "completed";

    /// <summary>Not all could be had from these addresses.</summary>
    public const string Failed = "failed";

    /// <summary>No longer wanted.</summary>
    public const string Cancelled = "cancelled";
}
