using System.Text;
using EdgeDm.Hub;

namespace EdgeDm.ModuleHost;

/// <summary>Finds a direct method's handler by its name.</summary>
internal sealed class MethodDispatcher(HubModuleOptions options)
{
    private const string AnyName = "*";
    private const int NotImplemented = 501;

    private readonly Dictionary<string, Func<MethodCall, CancellationToken, ValueTask<MethodReply>>> handlers = [];

    /// <summary>True when there is a handler.</summary>
    public bool IsNeeded => handlers.Count > 0;

    /// <summary>Registers a handler; <c>*</c> takes what no other takes.</summary>
    public void Add(string name, Func<MethodCall, CancellationToken, ValueTask<MethodReply>> handler) =>
        handlers.Add(name, handler);

    /// <summary>Serves until the connection ends.</summary>
    public Task RunAsync(IoTHubSession session, CancellationToken cancellationToken) =>
        session.ServeMethodsAsync(AnswerAsync, options.MaxConcurrentMethods, cancellationToken);

    private async ValueTask<MethodResult> AnswerAsync(DirectMethodRequest request, CancellationToken cancellationToken)
    {
        if (!handlers.TryGetValue(request.Name, out var handler) && !handlers.TryGetValue(AnyName, out handler))
        {
            return new(NotImplemented, Encoding.UTF8.GetBytes("""{"message":"This module has no such method."}"""));
        }
        var reply = await handler(new(request.Name, request.Payload), cancellationToken);
        return new(reply.Status, reply.Json);
    }
}
