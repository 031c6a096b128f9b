using System.Text.Json;
using EdgeDm.DevHub.Broker;
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
    /// <param name="parts">The hub.</param>
    /// <param name="connections">Who is connected.</param>
    /// <param name="server">The hub as a whole.</param>
    /// <param name="stopping">The hub stops: ends what waits.</param>
    public static void Map(
        IEndpointRouteBuilder routes,
        HubParts parts,
        ConnectionTable connections,
        DevHubServer server,
        CancellationToken stopping
    )
    {
        var api = new ServiceApi(parts, stopping);
        var identities = new IdentityRequests(parts, connections);
        var twins = new TwinRequests(parts, connections);
        var methods = new MethodRequests(parts);
        var messages = new MessageRequests(parts);
        var configuration = new ConfigurationRequests(parts, server);

        api.Add(routes, "GET", "/devices", identities.ListDevicesAsync);
        api.Add(routes, "GET", "/devices/{device}", identities.GetAsync);
        api.Add(routes, "GET", "/devices/{device}/modules", identities.ListModulesAsync);
        api.Add(routes, "GET", "/devices/{device}/modules/{module}", identities.GetAsync);
        api.Add(routes, "PUT", "/devices/{device}/modules/{module}", identities.CreateModuleAsync);
        api.Add(routes, "POST", "/devices/{device}/applyConfigurationContent", configuration.ApplyAsync);
        foreach (var path in new[] { "/twins/{device}", "/twins/{device}/modules/{module}" })
        {
            api.Add(routes, "GET", path, twins.GetAsync);
            api.Add(routes, "PATCH", path, twins.PatchAsync);
            api.Add(routes, "PUT", path, twins.ReplaceAsync);
            // Between modules, too: the method checks who calls.
            api.Add(routes, "POST", path + "/methods", methods.InvokeAsync, forService: false);
        }
        api.Add(routes, "GET", "/devhub/status", new StatusRequests(parts, server).GetAsync, forService: false);
        api.Add(routes, "GET", "/devhub/upstream", messages.UpstreamAsync);
        api.Add(routes, "POST", "/devhub/modules/{module}/inputs/{input}", messages.SendAsync);
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

    private void Add(
        IEndpointRouteBuilder routes,
        string method,
        string path,
        Func<HttpContext, Task> handler,
        bool forService = true
    ) => routes.MapMethods(path, [method], context => RunAsync(context, handler, forService));

    private async Task RunAsync(HttpContext context, Func<HttpContext, Task> handler, bool forService)
    {
        var gone = context.RequestAborted;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(gone, stopping);
        context.RequestAborted = ends.Token;
        HubException failure;
        try
        {
            if (forService)
            {
                RequireService(parts, context.Request);
            }
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

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed")]
    private static partial void LogFailed(ILogger logger, Exception error, string method, string path);
}
