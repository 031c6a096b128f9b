using System.Text.Json.Nodes;
using EdgeDm.DevHub.Service;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Page;

/// <summary>The jobs that services scheduled for devices, for the page: as the REST API tells them, without secrets.</summary>
internal sealed class PageJobs(HubParts parts)
{
    private readonly JobDocuments documents = new(parts.Jobs);

    /// <summary><c>{jobs, more}</c>: the newest first, and how many older ones there are.</summary>
    public Task ListAsync(HttpContext context)
    {
        var all = parts.Jobs.List();
        var newest = all.OrderByDescending(job => job.Created).Take(parts.Options.Page.Jobs).ToList();
        var answer = new JsonObject
        {
            ["jobs"] = new JsonArray([.. newest.Select(job => PageSecrets.Hide(documents.Of(job)))]),
            ["more"] = all.Count - newest.Count,
        };
        return Json.WriteAsync(context.Response, answer);
    }
}
