using EdgeDm.DevHub.Broker;
using EdgeDm.DevHub.Configurations;
using EdgeDm.DevHub.Jobs;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Service;

/// <summary>What the service REST API is made of beside the hub itself, and what runs for it in the background.</summary>
internal sealed class ServiceParts : IAsyncDisposable
{
    public ServiceParts(HubParts hub, ConnectionTable connections)
    {
        Hub = hub;
        Connections = connections;
        IdentityDocuments = new(hub, connections);
        TwinDocuments = new(hub, connections);
        JobDocuments = new(hub.Jobs);
        Queries = new(hub, TwinDocuments, JobDocuments);
        JobRunner = new(
            hub.Jobs,
            hub.Options.Jobs,
            Queries.Targets,
            new JobActions(hub).RunAsync,
            hub.Time,
            hub.Loggers.CreateLogger<JobRunner>()
        );
        ConfigurationDocuments = new(Queries);
        ConfigurationEngine = new(
            hub.Configurations,
            hub.Identities,
            hub.Twins,
            Queries.Targets,
            hub.Options.Configurations,
            hub.Time,
            hub.Loggers.CreateLogger<ConfigurationEngine>()
        );
    }

    public HubParts Hub { get; }

    public ConnectionTable Connections { get; }

    public IdentityDocuments IdentityDocuments { get; }

    public TwinDocuments TwinDocuments { get; }

    public JobDocuments JobDocuments { get; }

    public QuerySources Queries { get; }

    public JobRunner JobRunner { get; }

    public ConfigurationDocuments ConfigurationDocuments { get; }

    public ConfigurationEngine ConfigurationEngine { get; }

    /// <summary>Goes on with what the former hub left.</summary>
    public void Start()
    {
        JobRunner.Resume();
        ConfigurationEngine.Start();
    }

    /// <summary>Ends what runs in the background.</summary>
    public async ValueTask DisposeAsync()
    {
        await JobRunner.DisposeAsync();
        await ConfigurationEngine.DisposeAsync();
    }
}
