namespace EdgeDm.Hub;

/// <summary>Where a file may be uploaded to. Whoever knows <see cref="GetUploadUri"/> may write there: it is not for logs.</summary>
public sealed class BlobUploadInfo
{
    private readonly Uri uploadUri;

    internal BlobUploadInfo(string correlationId, Uri blobUri, string sasToken)
    {
        CorrelationId = correlationId;
        BlobUri = blobUri;
        uploadUri = new(blobUri, sasToken);
    }

    /// <summary>Names the upload in <see cref="BlobUploadResult"/>.</summary>
    public string CorrelationId { get; }

    /// <summary>The blob, without the right to write it.</summary>
    public Uri BlobUri { get; }

    /// <summary>The blob with a signature in its query that allows to write it for a while (Azure Storage, Put Blob). A method, so that nothing prints it by itself.</summary>
    public Uri GetUploadUri() => uploadUri;

    /// <summary>Without the signature.</summary>
    public override string ToString() => $"upload {CorrelationId} to {BlobUri.AbsoluteUri}";
}

/// <summary>How an upload ended.</summary>
/// <param name="CorrelationId">From <see cref="BlobUploadInfo"/>.</param>
/// <param name="IsSuccess">The blob is whole.</param>
/// <param name="StatusCode">The device's own code, mostly the HTTP status of the upload.</param>
/// <param name="StatusDescription">Words for the operator; null = none.</param>
public sealed record BlobUploadResult(
    string CorrelationId,
    bool IsSuccess,
    int StatusCode,
    string? StatusDescription = null
);
