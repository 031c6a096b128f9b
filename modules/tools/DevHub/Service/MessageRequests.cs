using System.Globalization;
using System.Text.Json.Nodes;
using EdgeDm.DevHub.Broker;
using EdgeDm.DevHub.Identities;
using EdgeDm.DevHub.Routing;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary>The dev hub's own ways to messages: what went <c>$upstream</c>, and one straight to an input.</summary>
internal sealed class MessageRequests(HubParts parts)
{
    /// <summary>Stamped as the sender's module on what is sent by hand: no module has this name.</summary>
    public const string Sender = "$devhub";

    private const double LongestWaitSeconds = 60;

    /// <summary>
    /// <c>GET /devhub/upstream?after=n&amp;wait=s</c>: an array of what came after that sequence number; waits up to s seconds (60 at
    /// most) for the first.
    /// </summary>
    public async Task UpstreamAsync(HttpContext context)
    {
        var after = Number(context.Request, "after", long.MaxValue);
        var wait = TimeSpan.FromSeconds(Number(context.Request, "wait", LongestWaitSeconds));
        var messages = await parts.Upstream.WaitAsync((long)after, wait, context.RequestAborted);
        await Json.WriteAsync(context.Response, new JsonArray([.. messages.Select(Document)]));
    }

    /// <summary>
    /// <c>POST /devhub/modules/{module}/inputs/{input}?name=value&amp;%24.mid=...</c>: the body is the message, the query its
    /// properties as in a topic. Accepted (204) when it waits for the module, connected or not.
    /// </summary>
    public async Task SendAsync(HttpContext context)
    {
        var request = context.Request;
        var module = Addressee.Require(
            parts.Identities,
            new(parts.Identities.DeviceId, (string)request.RouteValues["module"]!)
        );
        var input = (string)request.RouteValues["input"]!;
        if (!RouteEndpoint.IsValidName(input))
        {
            throw new HubException(HubError.ArgumentInvalid, $"'{input}' cannot be the name of an input.");
        }
        var sender = new HubIdentity(parts.Identities.DeviceId, Sender);
        var message = await ReadAsync(sender, request, context.RequestAborted);
        await parts.Router.SendAsync(module.ModuleId!, input, message, context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>
    /// <c>POST /devhub/devices/{device}/messages?name=value&amp;%24.exp=...</c>: a message from the cloud, its properties as above; 204 when it
    /// waits for the device. IoT Hub takes these by AMQP alone.
    /// </summary>
    public async Task SendToDeviceAsync(HttpContext context)
    {
        var request = context.Request;
        var device = Addressee.Require(parts.Identities, Addressee.Of(request)).Id;
        var message = await ReadAsync(new(device.DeviceId), request, context.RequestAborted);
        var to = $"/{device.TopicRoot}/messages/devicebound";
        // From the cloud: no client is stamped as the sender.
        var system = message
            .System.Without(
                MessageProperties.ConnectionDeviceId,
                MessageProperties.ConnectionModuleId,
                MessageProperties.ConnectionAuthMethod
            )
            .With("to", to);
        await parts.CloudMessages.SendAsync(device.DeviceId, message with { System = system }, context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary><c>DELETE /devices/{device}/commands</c>: forgets what waits for a device.</summary>
    public Task PurgeAsync(HttpContext context)
    {
        var device = Addressee.Require(parts.Identities, Addressee.Of(context.Request)).Id;
        return Json.WriteAsync(
            context.Response,
            new JsonObject
            {
                ["totalMessagesPurged"] = parts.CloudMessages.Purge(device.DeviceId),
                ["deviceId"] = device.DeviceId,
                ["moduleId"] = null,
            }
        );
    }

    private static async Task<HubMessage> ReadAsync(
        HubIdentity sender,
        HttpRequest request,
        CancellationToken cancellationToken
    )
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancellationToken);
        var message = MessageTopic.Read(sender, (request.QueryString.Value ?? "").TrimStart('?'), body.ToArray());
        return Described(message, request.ContentType);
    }

    private static double Number(HttpRequest request, string name, double most)
    {
        var text = request.Query[name].ToString();
        if (text.Length == 0)
        {
            return 0;
        }
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= 0
            ? Math.Min(value, most)
            : throw new HubException(HubError.ArgumentInvalid, $"'{name}' must be a number, 0 or more.");
    }

    // JSON is what the modules here speak; the sender may say otherwise.
    private static HubMessage Described(HubMessage message, string? contentType)
    {
        if (message.System[MessageProperties.ContentType] is not null)
        {
            return message;
        }
        var type = contentType?.Split(';')[0].Trim() ?? "application/json";
        var system = message.System.With(MessageProperties.ContentType, type);
        return message with
        {
            System = system[MessageProperties.ContentEncoding] is not null
                ? system
                : system.With(MessageProperties.ContentEncoding, "utf-8"),
        };
    }

    private static JsonObject Document(UpstreamMessage upstream)
    {
        var document = upstream.Message.ToDocument();
        document["sequence"] = upstream.Sequence;
        document["enqueuedTime"] = upstream.Enqueued.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
        return document;
    }
}
