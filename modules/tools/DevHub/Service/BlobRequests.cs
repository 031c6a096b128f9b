using System.Security;
using System.Text;
using EdgeDm.DevHub.Files;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace EdgeDm.DevHub.Service;

/// <summary>
/// <c>PUT /devhub-files/{blob}</c>: Azure Storage's "Put Blob", as far as an upload in one piece needs it, with its errors. The token is
/// in the address, and good for one blob for a while.
/// </summary>
internal sealed class BlobRequests(FileStore files, FileUploadLimits limits)
{
    /// <summary>The name of the one container.</summary>
    public const string Container = "devhub-files";

    private const string BlobType = "BlockBlob";

    public async Task PutAsync(HttpContext context)
    {
        var request = context.Request;
        var upload = files.FindByToken((string)request.RouteValues["blob"]!, request.Query["sig"].ToString());
        if (upload is null)
        {
            await RefuseAsync(
                context,
                403,
                "AuthenticationFailed",
                "The token is not one for this blob, or it is over."
            );
        }
        else if (request.Query.ContainsKey("comp"))
        {
            await RefuseAsync(
                context,
                400,
                "UnsupportedQueryParameter",
                $"This dev hub takes blobs in one piece: no comp={request.Query["comp"]}."
            );
        }
        else if (request.Headers["x-ms-blob-type"] != BlobType)
        {
            await RefuseAsync(context, 400, "InvalidHeaderValue", $"x-ms-blob-type must be {BlobType}.");
        }
        else if (request.ContentLength > limits.LargestFile)
        {
            await RefuseAsync(context, 413, "RequestBodyTooLarge", files.TooLarge().Message);
        }
        else
        {
            await WriteAsync(context, upload);
        }
    }

    private async Task WriteAsync(HttpContext context, FileUpload upload)
    {
        // The store counts.
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
        try
        {
            await files.WriteAsync(upload, context.Request.Body, context.RequestAborted);
        }
        catch (HubException error) when (error.Error == HubError.MessageTooLarge)
        {
            await RefuseAsync(context, 413, "RequestBodyTooLarge", error.Message);
            return;
        }
        var response = context.Response;
        response.StatusCode = StatusCodes.Status201Created;
        response.ContentLength = 0;
        response.Headers.ETag = $"\"{upload.CorrelationId}\"";
        response.Headers["x-ms-request-id"] = Guid.NewGuid().ToString();
        response.Headers["x-ms-version"] = "2021-08-06";
    }

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
