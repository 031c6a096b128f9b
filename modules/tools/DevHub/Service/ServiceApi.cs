using System.Text.Json;
using EdgeDm.DevHub.Nested;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace EdgeDm.DevHub.Service;

/// <summary>
/// What is served over HTTPS: IoT Hub's service REST API, edgeHub's method calls between modules, and the dev hub's own
/// <c>/devhub</c>. <c>api-version</c> is not looked at.
/// </summary>
internal sealed partial class ServiceApi
{
    /// <summary>Bytes of a request's body: a message, a configuration and what is around it.</summary>
    public const long LargestBody = 512 * 1024;

    private readonly HubParts parts;
    private readonly CancellationToken stopping;
    private readonly ILogger logger;

    private ServiceApi(HubParts parts, CancellationToken stopping)
    {
        this.parts = parts;
        this.stopping = stopping;
        logger = parts.Loggers.CreateLogger<ServiceApi>();
    }

    /// <summary>Adds the routes.</summary>
    /// <param name="routes">Where to.</param>
    /// <param name="services">What the handlers have in common.</param>
    /// <param name="server">The hub as a whole.</param>
    /// <param name="stopping">The hub stops: ends what waits.</param>
    public static void Map(
        IEndpointRouteBuilder routes,
        ServiceParts services,
        DevHubServer server,
        CancellationToken stopping
    )
    {
        var hub = services.Hub;
        var api = new ServiceApi(hub, stopping);
        api.MapRegistry(routes, services);
        api.MapTwins(routes, services);
        api.MapJobs(routes, new(hub, services.JobRunner, services.JobDocuments));
        api.MapFiles(routes, new(hub, server), new(hub.Files, hub.Options.Files));
        var messages = new MessageRequests(hub);
        if (hub.Options.Profile == HubProfile.IoTHub)
        {
            api.MapScopes(routes, new(hub, new(hub.Identities, hub.Tokens)));
        }
        api.MapConfigurations(routes, new(hub, services.ConfigurationEngine, services.ConfigurationDocuments));
        var deployments = new DeploymentRequests(hub, server);
        api.Add(routes, "POST", "/devices/{device}/applyConfigurationContent", deployments.ApplyAsync);
        api.Add(routes, "GET", "/devhub/status", new StatusRequests(hub, server).GetAsync, Caller.Anyone);
        server.Page.Map(
            (method, path, handler) => api.Add(routes, method, path, handler, Caller.Anyone),
            (method, path, handler) => api.Add(routes, method, path, handler)
        );
        api.Add(routes, "GET", "/devhub/upstream", messages.UpstreamAsync);
        api.Add(routes, "POST", "/devhub/route", RouteRequests.TryAsync);
        api.Add(routes, "POST", "/devhub/modules/{module}/inputs/{input}", messages.SendAsync);
        api.Add(routes, "POST", "/devhub/devices/{device}/messages", messages.SendToDeviceAsync);
        api.Add(routes, "DELETE", "/devices/{device}/commands", messages.PurgeAsync);
        var faults = new FaultRequests(hub);
        api.Add(routes, "GET", "/devhub/faults", faults.ListAsync);
        api.Add(routes, "POST", "/devhub/faults", faults.AddAsync);
        api.Add(routes, "DELETE", "/devhub/faults", faults.EndAsync);
        api.Add(routes, "DELETE", "/devhub/faults/{id}", faults.EndAsync);
    }

    private void MapRegistry(IEndpointRouteBuilder routes, ServiceParts services)
    {
        var identities = new IdentityRequests(services.Hub, services.IdentityDocuments);
        var statistics = new StatisticsRequests(services.Hub, services.Connections);
        Add(routes, "GET", "/devices", identities.ListDevicesAsync);
        Add(routes, "POST", "/devices", new BulkRequests(services.Hub).WriteAsync);
        Add(routes, "GET", "/statistics/devices", statistics.DevicesAsync);
        Add(routes, "GET", "/statistics/service", statistics.ServiceAsync);
        Add(routes, "PUT", "/devices/{device}", identities.PutAsync);
        Add(routes, "DELETE", "/devices/{device}", identities.DeleteAsync);
        // A device manages its own modules, too: so iotedgehubdev makes them.
        Add(routes, "GET", "/devices/{device}", identities.GetAsync, Caller.ServiceOrDevice);
        Add(routes, "GET", "/devices/{device}/modules", identities.ListModulesAsync, Caller.ServiceOrDevice);
        foreach (
            var (method, handler) in new (string, Func<HttpContext, Task>)[]
            {
                ("GET", identities.GetAsync),
                ("PUT", identities.PutAsync),
                ("DELETE", identities.DeleteAsync),
            }
        )
        {
            Add(routes, method, "/devices/{device}/modules/{module}", handler, Caller.ServiceOrDevice);
        }
    }

    // An edgeHub asks these; the token is checked by the handlers.
    private void MapScopes(IEndpointRouteBuilder routes, ScopeRequests scopes)
    {
        const string EdgeHub = "/devices/{device}/modules/{module}/";
        Add(routes, "POST", EdgeHub + "devicesAndModulesInTargetDeviceScope", scopes.ListAsync, Caller.Anyone);
        Add(routes, "POST", EdgeHub + "getDeviceAndModuleOnBehalfOf", scopes.FindAsync, Caller.Anyone);
        Add(routes, "GET", EdgeHub + "devicesAndModulesInDeviceScope", scopes.ListOwnAsync, Caller.Anyone);
        Add(routes, "GET", EdgeHub + "deviceAndModuleInDeviceScope", scopes.FindOwnAsync, Caller.Anyone);
    }

    private void MapTwins(IEndpointRouteBuilder routes, ServiceParts services)
    {
        var twins = new TwinRequests(services.Hub, services.TwinDocuments);
        var methods = new MethodRequests(services.Hub);
        foreach (var path in new[] { "/twins/{device}", "/twins/{device}/modules/{module}" })
        {
            Add(routes, "GET", path, twins.GetAsync);
            Add(routes, "PATCH", path, twins.PatchAsync);
            Add(routes, "PUT", path, twins.ReplaceAsync);
            // Between modules, too: the method checks who calls.
            Add(routes, "POST", path + "/methods", methods.InvokeAsync, Caller.Anyone);
        }
        Add(routes, "POST", "/devices/query", new QueryRequests(services.Hub, services.Queries).QueryAsync);
    }

    private void MapJobs(IEndpointRouteBuilder routes, JobRequests jobs)
    {
        Add(routes, "GET", "/jobs/v2/query", jobs.QueryAsync);
        Add(routes, "PUT", "/jobs/v2/{job}", jobs.CreateAsync);
        Add(routes, "GET", "/jobs/v2/{job}", jobs.GetAsync);
        Add(routes, "POST", "/jobs/v2/{job}/cancel", jobs.CancelAsync);
    }

    private void MapConfigurations(IEndpointRouteBuilder routes, ConfigurationRequests configurations)
    {
        Add(routes, "GET", "/configurations", configurations.ListAsync);
        Add(routes, "POST", "/configurations/testQueries", ConfigurationRequests.TestQueriesAsync);
        Add(routes, "GET", "/configurations/{configuration}", configurations.GetAsync);
        Add(routes, "PUT", "/configurations/{configuration}", configurations.PutAsync);
        Add(routes, "DELETE", "/configurations/{configuration}", configurations.DeleteAsync);
    }

    private void MapFiles(IEndpointRouteBuilder routes, FileRequests files, BlobRequests blobs)
    {
        Add(routes, "POST", "/devices/{device}/files", files.GrantAsync, Caller.ServiceOrDevice);
        // C# names the upload in the body, Node in the address.
        Add(routes, "POST", "/devices/{device}/files/notifications", files.EndAsync, Caller.ServiceOrDevice);
        Add(routes, "POST", "/devices/{device}/files/notifications/{id}", files.EndAsync, Caller.ServiceOrDevice);
        // The token is in the address.
        Add(routes, "PUT", $"/{BlobRequests.Container}/{{**blob}}", blobs.PutAsync, Caller.Anyone);
        Add(routes, "GET", "/devhub/files", files.ListAsync);
        Add(routes, "GET", "/devhub/files/{id}", files.ReadAsync);
    }

    /// <summary>Fails unless the request carries the service's token.</summary>
    /// <exception cref="HubException"><see cref="HubError.IotHubUnauthorizedAccess"/>.</exception>
    public static void RequireService(HubParts parts, HttpRequest request)
    {
        if (parts.Tokens.RefusalOfService(request.Headers.Authorization) is { } refusal)
        {
            throw new HubException(HubError.IotHubUnauthorizedAccess, $"Unauthorized: {refusal}.");
        }
    }

    private void Require(Caller caller, HttpRequest request)
    {
        if (
            caller == Caller.Anyone
            || (
                caller == Caller.ServiceOrDevice
                && parts.Tokens.RefusalOfClient(
                    new(Addressee.Of(request).DeviceId),
                    request.Headers.Authorization,
                    out _
                )
                    is null
            )
        )
        {
            return;
        }
        RequireService(parts, request);
    }

    private void Add(
        IEndpointRouteBuilder routes,
        string method,
        string path,
        Func<HttpContext, Task> handler,
        Caller caller = Caller.Service
    ) => routes.MapMethods(path, [method], context => RunAsync(context, handler, caller));

    private async Task RunAsync(HttpContext context, Func<HttpContext, Task> handler, Caller caller)
    {
        var gone = context.RequestAborted;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(gone, stopping);
        context.RequestAborted = ends.Token;
        HubException failure;
        try
        {
            Require(caller, context.Request);
            await handler(context);
            return;
        }
        catch (HubException error)
        {
            failure = error;
        }
        catch (JsonException error)
        {
            failure = new(HubError.IotHubFormatError, $"The body is not the JSON expected: {error.Message}");
        }
        catch (BadHttpRequestException error) when (error.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            failure = new(HubError.MessageTooLarge, $"The body is larger than {LargestBody} bytes.");
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            return; // Nobody is left to answer.
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            failure = new(HubError.ServiceUnavailable, "The dev hub stops.");
        }
        catch (Exception error)
        {
            LogFailed(logger, error, context.Request.Method, context.Request.Path);
            failure = new(HubError.ServerError, "The dev hub failed; its log tells how.");
        }
        context.RequestAborted = gone;
        await ServiceErrors.WriteAsync(context.Response, failure);
    }

    /// <summary>Whose token a request needs.</summary>
    private enum Caller
    {
        /// <summary>The service's.</summary>
        Service,

        /// <summary>The service's, or that of the device in the path.</summary>
        ServiceOrDevice,

        /// <summary>None, or one that the handler checks.</summary>
        Anyone,
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailed(ILogger logger, Exception error, string method, string path);
}
