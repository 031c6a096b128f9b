using System.Security;
using System.Text;
using EdgeDm.DevHub.Files;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace EdgeDm.DevHub.Service;

/// <summary>
/// <c>PUT /devhub-files/{blob}</c>: Azure Storage's "Put Blob", "Put Block" and "Put Block List", as far as an upload needs them, with its errors.
/// The token is in the address, and good for one blob for a while.
/// </summary>
internal sealed class BlobRequests(FileStore files, FileUploadLimits limits)
{
    /// <summary>The name of the one container.</summary>
    public const string Container = "devhub-files";

    private const string BlobType = "BlockBlob";

    public async Task PutAsync(HttpContext context)
    {
        try
        {
            var request = context.Request;
            var upload =
                files.FindByToken((string)request.RouteValues["blob"]!, request.Query["sig"].ToString())
                ?? throw new BlobException(
                    403,
                    "AuthenticationFailed",
                    "The token is not one for this blob, or it is over."
                );
            await WriteAsync(context, upload);
        }
        catch (BlobException error)
        {
            await RefuseAsync(context, error.Status, error.Code, error.Message);
            return;
        }
        var response = context.Response;
        response.StatusCode = StatusCodes.Status201Created;
        response.ContentLength = 0;
        response.Headers["x-ms-request-id"] = Guid.NewGuid().ToString();
        response.Headers["x-ms-version"] = "2021-08-06";
    }

    private Task WriteAsync(HttpContext context, FileUpload upload) =>
        context.Request.Query["comp"].ToString() switch
        {
            "" => PutBlobAsync(context, upload),
            "block" => PutBlockAsync(context, upload),
            "blocklist" => PutBlockListAsync(context, upload),
            var comp => throw new BlobException(
                400,
                "UnsupportedQueryParameter",
                $"This dev hub takes Put Blob, Put Block and Put Block List: no comp={comp}."
            ),
        };

    private async Task PutBlobAsync(HttpContext context, FileUpload upload)
    {
        if (context.Request.Headers["x-ms-blob-type"] != BlobType)
        {
            throw new BlobException(400, "InvalidHeaderValue", $"x-ms-blob-type must be {BlobType}.");
        }
        Admit(context, limits.LargestFile);
        await files.WriteAsync(upload, context.Request.Body, context.RequestAborted);
        Tag(context, upload);
    }

    private Task PutBlockAsync(HttpContext context, FileUpload upload)
    {
        var block = BlockId.Parse(context.Request.Query["blockid"]);
        Admit(context, limits.LargestFile);
        return files.StageAsync(upload, block, context.Request.Body, context.RequestAborted);
    }

    private async Task PutBlockListAsync(HttpContext context, FileUpload upload)
    {
        Admit(context, BlockList.LargestBody);
        await files.CommitAsync(
            upload,
            await BlockList.ReadAsync(context.Request.Body, limits.MostBlocks),
            context.RequestAborted
        );
        Tag(context, upload);
    }

    // What has no length is counted as it comes.
    private static void Admit(HttpContext context, long most)
    {
        if (context.Request.ContentLength > most)
        {
            throw new BlobException(413, "RequestBodyTooLarge", $"The body is larger than {most} bytes.");
        }
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
    }

    private static void Tag(HttpContext context, FileUpload upload) =>
        context.Response.Headers.ETag = $"\"{upload.CorrelationId}\"";

    private static Task RefuseAsync(HttpContext context, int status, string code, string message)
    {
        var body = Encoding.UTF8.GetBytes(
            $"""<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{SecurityElement.Escape(message)}</Message></Error>"""
        );
        var response = context.Response;
        response.StatusCode = status;
        response.Headers["x-ms-error-code"] = code;
        response.ContentType = "application/xml";
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
