using System.Text.Json.Nodes;
using System.Threading.Channels;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Routing;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Twins;

/// <summary>
/// The hub's own module <c>$edgeHub</c>: puts the routes of its desired properties in force, and reports whether they are good.
/// A bad set leaves the former routes in force.
/// </summary>
internal sealed partial class EdgeHubTwin : ITwinObserver, IAsyncDisposable
{
    private const int Good = 200;

    private readonly HubIdentity identity;
    private readonly TwinStore twins;
    private readonly MessageRouter router;
    private readonly ILogger logger;

    // An observer must not write to the store it is called by.
    private readonly Channel<JsonObject> reports = Channel.CreateUnbounded<JsonObject>();
    private readonly Task reporting;

    public EdgeHubTwin(string deviceId, TwinStore twins, MessageRouter router, ILogger<EdgeHubTwin> logger)
    {
        identity = new(deviceId, "$edgeHub");
        this.twins = twins;
        this.router = router;
        this.logger = logger;
        twins.Observe(this);
        var twin = twins.Get(identity);
        if (twin.Desired.Version > 1)
        {
            Apply(twin.Desired);
        }
        reporting = ReportAsync();
    }

    /// <inheritdoc/>
    public void OnDesiredChanged(Twin twin, JsonObject changed)
    {
        if (twin.Id == identity)
        {
            Apply(twin.Desired);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        reports.Writer.Complete();
        await reporting;
    }

    private void Apply(TwinSection desired)
    {
        var (code, description) = (Good, "");
        try
        {
            router.Routes = RouteSet.Parse(desired.Properties);
            LogRoutes(logger, router.Routes.Routes.Length, desired.Version);
        }
        catch (HubException error)
        {
            (code, description) = (error.Status, error.Message);
            LogBadRoutes(logger, desired.Version, error.Message);
        }
        reports.Writer.TryWrite(
            new()
            {
                ["schemaVersion"] = "1.0",
                ["lastDesiredVersion"] = desired.Version,
                ["lastDesiredStatus"] = new JsonObject { ["code"] = code, ["description"] = description },
            }
        );
    }

    private async Task ReportAsync()
    {
        await foreach (var report in reports.Reader.ReadAllAsync())
        {
            twins.Report(identity, report);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Count} routes are in force ($edgeHub desired version {Version})"
    )]
    private static partial void LogRoutes(ILogger logger, int count, long version);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The routes of $edgeHub's desired version {Version} are refused, the former ones stay in force: {Reason}"
    )]
    private static partial void LogBadRoutes(ILogger logger, long version, string reason);
}
