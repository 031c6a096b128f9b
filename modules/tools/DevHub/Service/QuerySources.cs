using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Queries;

namespace EdgeDm.DevHub.Service;

/// <summary>What queries look through.</summary>
internal sealed class QuerySources(HubParts parts, TwinDocuments twins, JobDocuments jobs)
{
    /// <summary>The rows of a collection, made as they are asked for.</summary>
    public IEnumerable<QueryRow> Rows(QuerySource source) =>
        source switch
        {
            QuerySource.Devices => parts.Identities.Devices().Select(d => new QueryRow(d.Id.ToString(), twins.Of(d))),
            QuerySource.Modules => parts.Identities.Modules().Select(m => new QueryRow(m.Id.ToString(), twins.Of(m))),
            _ => jobs.Rows(),
        };

    /// <summary>The devices or modules that a query means.</summary>
    public IEnumerable<HubIdentity> Targets(Query query) =>
        QueryRunner
            .Matching(query, Rows(query.Source))
            .Select(row => new HubIdentity((string)row.Document["deviceId"]!, (string?)row.Document["moduleId"]));
}
