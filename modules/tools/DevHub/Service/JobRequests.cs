using EdgeDm.DevHub.Jobs;
using EdgeDm.DevHub.Queries;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary><c>/jobs/v2...</c>: one thing on many devices.</summary>
internal sealed class JobRequests(HubParts parts, JobRunner runner, JobDocuments documents)
{
    public async Task CreateAsync(HttpContext context)
    {
        var body = await Json.ReadObjectAsync(context.Request);
        var job = JobReader.Read(IdOf(context), body, parts.Options.Jobs, parts.Time.GetUtcNow());
        runner.Add(job);
        await Json.WriteAsync(context.Response, documents.Of(job));
    }

    public Task GetAsync(HttpContext context)
    {
        var id = IdOf(context);
        return Json.WriteAsync(context.Response, documents.Of(parts.Jobs.Find(id) ?? throw JobRunner.NotFound(id)));
    }

    public Task CancelAsync(HttpContext context) =>
        Json.WriteAsync(context.Response, documents.Of(runner.Cancel(IdOf(context))));

    /// <summary><c>GET /jobs/v2/query?jobType=..&amp;jobStatus=..</c></summary>
    public Task QueryAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var (type, status) = (query["jobType"].ToString(), query["jobStatus"].ToString());
        var rows = parts
            .Jobs.List()
            .Where(job => Fits(type, JobDocuments.TypeOf(job.Type)) && Fits(status, JobDocuments.StatusOf(job.Status)))
            .Select(job => new QueryRow(job.JobId, documents.Of(job)));
        var paging = Paging.Of(context.Request, parts.Options.Queries, $"jobs {type} {status}");
        var all = new Query(QuerySource.Jobs, null, [], null, []);
        context.Response.Headers[Paging.ItemTypeHeader] = "JobResponse";
        return paging.AnswerAsync(context.Response, QueryRunner.Run(all, rows, paging.After, paging.Most));
    }

    private static string IdOf(HttpContext context) => (string)context.Request.RouteValues["job"]!;

    private static bool Fits(string wanted, string found) =>
        wanted.Length == 0 || wanted.Equals(found, StringComparison.OrdinalIgnoreCase);
}
