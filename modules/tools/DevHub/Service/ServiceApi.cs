using EdgeDm.DevHub.Broker;
using Microsoft.AspNetCore.Routing;

namespace EdgeDm.DevHub.Service;

/// <summary>What is served over HTTPS.</summary>
internal static class ServiceApi
{
    /// <summary>Bytes of a request's body: IoT Hub's largest document, a configuration of 128 KB and some.</summary>
    public const long LargestBody = 512 * 1024;

    /// <summary>Adds the routes.</summary>
    public static void Map(
        IEndpointRouteBuilder routes,
        HubParts parts,
        ConnectionTable connections,
        Func<DevHubServer> server
    ) { }
}
