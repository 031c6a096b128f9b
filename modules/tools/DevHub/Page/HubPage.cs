using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Routing;
using EdgeDm.DevHub.Service;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Page;

/// <summary>
/// The hub's page for developers, below <c>/devhub/page</c>: who may see it, what it shows, and what happens as it happens. Served at
/// the loopback address only.
/// </summary>
public sealed class HubPage
{
    private const string Root = "/devhub/page";
    private const string Api = Root + "/api";

    private readonly DevHubServer server;
    private readonly PageSessions sessions;
    private readonly PageFeed feed;
    private readonly ModuleLines lines;
    private readonly ConcurrentDictionary<string, long> counts = new(StringComparer.Ordinal);
    private readonly HubParts parts;
    private long unrouted;

    internal HubPage(HubParts parts, DevHubServer server)
    {
        this.parts = parts;
        this.server = server;
        sessions = new(parts.Options.Page.Sessions);
        feed = new(parts.Options.Page, parts.Time);
        lines = new(parts.Options.Page);
        parts.Router.Routed = OnRouted;
    }

    /// <summary>How often each route was taken since the hub started, by its name.</summary>
    internal IReadOnlyDictionary<string, long> Counts => counts;

    /// <summary>Messages that no route wanted.</summary>
    internal long Unrouted => Volatile.Read(ref unrouted);

    /// <summary>An address that opens the page once, in one browser; an earlier one that nobody used is void.</summary>
    public string NewAddress() =>
        $"https://{server.Address}:{server.HttpsPort}{Root}/start?token={sessions.NewStartToken()}";

    /// <summary>A module wrote a line. Be told at once; it does not wait for anybody who looks.</summary>
    public void OnLine(string moduleId, string line) => feed.Publish(lines.Add(moduleId, line));

    /// <summary>Adds the page's requests.</summary>
    /// <param name="add">Takes method, path and handler; answers their errors.</param>
    /// <param name="addForService">The same for requests that need the service's token.</param>
    internal void Map(
        Action<string, string, Func<HttpContext, Task>> add,
        Action<string, string, Func<HttpContext, Task>> addForService
    )
    {
        var guard = new PageGuard(server, sessions);
        var twins = new PageTwins(parts);
        var events = new PageEvents(parts, server, this, feed);

        addForService("POST", Root + "/address", AddressAsync);
        addForService("GET", "/devhub/tail", new TailRequests(feed).StreamAsync);
        add("GET", Root + "/start", guard.StartAsync);
        add("GET", Root, guard.ForPage(context => PageAssets.WriteAsync(context.Response, PageAssets.Index)));
        add("GET", Root + "/{asset}", guard.ForAsset(AssetAsync));
        AddGuarded("GET", "/events", events.StreamAsync);
        AddGuarded("GET", "/logs/{module}", LinesAsync);
        AddGuarded("GET", "/jobs", new PageJobs(parts).ListAsync);
        foreach (var path in new[] { "/twins/{device}", "/twins/{device}/modules/{module}" })
        {
            AddGuarded("GET", path, twins.GetAsync);
            AddGuarded("PATCH", path, twins.PatchAsync);
            AddGuarded("POST", path + "/methods", twins.InvokeAsync);
        }

        void AddGuarded(string method, string path, Func<HttpContext, Task> handler) =>
            add(method, Api + path, guard.ForApi(handler));
    }

    private void OnRouted(HubMessage message, Route? route)
    {
        if (route is null)
        {
            Interlocked.Increment(ref unrouted);
        }
        else
        {
            counts.AddOrUpdate(route.Name, 1, static (_, count) => count + 1);
        }
        if (feed.HasViewers)
        {
            feed.Publish(new PassingMessage(parts.Time.GetUtcNow(), message, route, parts.Options.Page.EventBytes));
        }
    }

    private Task AddressAsync(HttpContext context) =>
        Json.WriteAsync(context.Response, new JsonObject { ["address"] = NewAddress() });

    private Task LinesAsync(HttpContext context) =>
        Json.WriteAsync(context.Response, lines.Document((string)context.Request.RouteValues["module"]!));

    private static Task AssetAsync(HttpContext context) =>
        PageAssets.WriteAsync(context.Response, (string)context.Request.RouteValues["asset"]!);
}
