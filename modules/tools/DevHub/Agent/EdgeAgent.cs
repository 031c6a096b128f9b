using System.Text.Json.Nodes;
using EdgeDm.DevHub.Deployment;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Launching;
using EdgeDm.DevHub.Twins;
using EdgeDm.Hosting;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Agent;

/// <summary>
/// The hub's own module <c>$edgeAgent</c>: whoever writes its desired properties changes which modules run, it reports how they are, and it
/// answers edgeAgent's methods. A deployment that is wrong changes nothing and is reported with code 400.
/// </summary>
internal sealed partial class EdgeAgent : ITwinObserver
{
    private readonly DevHubServer server;
    private readonly ModuleLauncher launcher;
    private readonly Func<DeploymentManifest, CancellationToken, Task> openSockets;
    private readonly AgentMethods methods;
    private readonly AgentReport report;
    private readonly HubIdentity identity;
    private readonly ILogger logger;
    private readonly AsyncAutoResetEvent wake = new();
    private long followed;

    /// <summary>Prepares it; nothing is followed yet.</summary>
    /// <param name="server">The hub.</param>
    /// <param name="launcher">Runs the modules of the desired properties that there are now.</param>
    /// <param name="logs">What the modules write.</param>
    /// <param name="openSockets">Called ahead of starting modules: theirs must be there.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log.</param>
    public EdgeAgent(
        DevHubServer server,
        ModuleLauncher launcher,
        ModuleLogs logs,
        Func<DeploymentManifest, CancellationToken, Task> openSockets,
        TimeProvider time,
        ILogger logger
    )
    {
        this.server = server;
        this.launcher = launcher;
        this.openSockets = openSockets;
        this.logger = logger;
        identity = IdentityIn(server);
        methods = new(server, identity, launcher, logs, time, logger);
        report = new(time);
        followed = server.Twins.Get(identity).Desired.Version;
        launcher.Changed += OnModule; // From the first start on.
    }

    /// <summary>The deployment in force, as an earlier hub left it; one without modules when there is none, or it cannot be followed here.</summary>
    public static DeploymentManifest DeploymentOf(DevHubServer server)
    {
        var desired = server.Twins.Get(IdentityIn(server)).Desired.Properties;
        try
        {
            return DeploymentReader.OfAgent(JsonObject.Create(desired)!);
        }
        catch (DeploymentException)
        {
            return new("", [], []);
        }
    }

    /// <summary>Follows, reports and answers until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        server.Twins.Observe(this);
        server.Methods.Attach(identity, methods);
        try
        {
            while (true)
            {
                await FollowAsync(cancellationToken);
                Report();
                await wake.WaitAsync(cancellationToken);
            }
        }
        finally
        {
            server.Methods.Detach(identity, methods);
        }
    }

    /// <inheritdoc/>
    public void OnDesiredChanged(Twin twin, JsonObject changed)
    {
        if (twin.Id == identity)
        {
            wake.Set();
        }
    }

    private static HubIdentity IdentityIn(DevHubServer server) => new(server.Identities.DeviceId, "$edgeAgent");

    private void OnModule(ModuleState state)
    {
        report.Saw(state);
        wake.Set();
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        var desired = server.Twins.Get(identity).Desired;
        if (desired.Version == followed)
        {
            return;
        }
        followed = desired.Version;
        try
        {
            var manifest = DeploymentReader.OfAgent(JsonObject.Create(desired.Properties)!);
            await openSockets(manifest, cancellationToken);
            await launcher.ApplyAsync(manifest, cancellationToken);
            report.Followed(desired.Version, AgentReport.Good, "");
        }
        catch (Exception error) when (error is DeploymentException or MisconfiguredException)
        {
            LogRefused(logger, desired.Version, error.Message);
            report.Followed(desired.Version, AgentReport.Bad, error.Message);
        }
    }

    private void Report()
    {
        var twin = server.Twins.Get(identity);
        var patch = report.Next(twin, launcher.List());
        if (patch.Count == 0)
        {
            return;
        }
        try
        {
            server.Twins.Report(identity, patch);
        }
        catch (HubException error)
        {
            LogNotReported(logger, error.Message);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "$edgeAgent's desired version {Version} is not followed, the modules run on as they are: {Reason}"
    )]
    private static partial void LogRefused(ILogger logger, long version, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "$edgeAgent cannot report: {Reason}")]
    private static partial void LogNotReported(ILogger logger, string reason);
}
