using System.Text.Json.Nodes;
using EdgeDm.DevHub.Queries;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary><c>POST /devices/query</c>: a page of an answer, and in <c>x-ms-continuation</c> how to get the next.</summary>
internal sealed class QueryRequests(HubParts parts, QuerySources sources)
{
    public async Task QueryAsync(HttpContext context)
    {
        var text =
            Json.TextAt(await Json.ReadObjectAsync(context.Request), "query")
            ?? throw new HubException(HubError.ArgumentInvalid, "'query' is missing.");
        var limits = parts.Options.Queries;
        Query query;
        try
        {
            query = QueryParser.Parse(text, limits);
        }
        catch (QueryException error)
        {
            throw new HubException(HubError.ArgumentInvalid, error.Message);
        }
        var paging = Paging.Of(context.Request, limits, text);
        var page = QueryRunner.Run(query, sources.Rows(query.Source), paging.After, paging.Most);
        context.Response.Headers[Paging.ItemTypeHeader] =
            !query.Projections.IsEmpty ? "Raw"
            : query.Source == QuerySource.Jobs ? "DeviceJob"
            : "Twin";
        await paging.AnswerAsync(context.Response, page);
    }
}

/// <summary>Which part of a long answer a request wants.</summary>
/// <param name="Most">Rows at most.</param>
/// <param name="After">Where the part before ended; null = from the beginning.</param>
/// <param name="Subject">What the continuation is good for.</param>
internal sealed record Paging(int Most, QueryMark? After, string Subject)
{
    public const string ItemTypeHeader = "x-ms-item-type";

    private const string MostHeader = "x-ms-max-item-count";
    private const string ContinuationHeader = "x-ms-continuation";

    /// <summary>Reads the headers.</summary>
    /// <exception cref="HubException"><see cref="HubError.ArgumentInvalid"/>.</exception>
    public static Paging Of(HttpRequest request, QueryLimits limits, string subject)
    {
        var most = Json.Integer(
            request.Headers[MostHeader].ToString(),
            MostHeader,
            limits.DefaultPage,
            least: 1,
            limits.LargestPage
        );
        var continuation = request.Headers[ContinuationHeader].ToString();
        return new(
            most,
            continuation.Length == 0
                ? null
                : QueryContinuation.Read(subject, continuation)
                    ?? throw new HubException(
                        HubError.ArgumentInvalid,
                        $"'{ContinuationHeader}' does not come from an answer to this query."
                    ),
            subject
        );
    }

    /// <summary>Answers with a page. The header is left out at the end.</summary>
    public Task AnswerAsync(HttpResponse response, QueryPage page)
    {
        if (page.Next is { } next)
        {
            response.Headers[ContinuationHeader] = QueryContinuation.Write(Subject, next);
        }
        return Json.WriteAsync(response, new JsonArray([.. page.Rows]));
    }
}
