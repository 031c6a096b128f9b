using System.Text;
using EdgeDm.DevHub.Routing;

namespace EdgeDm.DevHub.Tests.Routing;

/// <summary>Messages of which only the text matters.</summary>
internal static class TestMessages
{
    public static HubMessage Of(string body) =>
        new("/messages/modules/a/outputs/o", MessageBag.Empty, MessageBag.Empty, Encoding.UTF8.GetBytes(body));

    public static string TextOf(HubMessage message) => Encoding.UTF8.GetString(message.Body.Span);
}
