using System.Globalization;
using System.Security.Authentication;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>From IoT Hub's three forms of an error, and from the network's, to one exception that names the mend.</summary>
internal static class ServiceErrors
{
    private const int LongestText = 512;

    /// <summary>An answer other than 2xx.</summary>
    public static ServiceException FromAnswer(
        int status,
        string? header,
        string body,
        ServiceConnectionString connection
    )
    {
        var (code, text) = Read(body);
        var name = header ?? (code == 0 ? $"HTTP {status}" : code.ToString(CultureInfo.InvariantCulture));
        if (code == 0 && name == "DeviceNotOnline")
        {
            code = ServiceException.DeviceNotOnline;
        }
        if (code == ServiceException.DeviceNotOnline)
        {
            return new(
                ExitCodes.NotReachable,
                "The module is not connected to the hub. Wait until the gateway is up, or check its link and its modules.",
                status,
                code
            );
        }
        var (exitCode, mend) = status switch
        {
            401 or 403 => (ExitCodes.Failed, $" Check the key and the rights of policy '{connection.PolicyName}'."),
            404 => (ExitCodes.Failed, " Check the names of device and module."),
            408 or 504 => (ExitCodes.TimedOut, " The gateway did not answer in time; try again."),
            429 => (ExitCodes.Failed, " The hub has too much to do; try again later."),
            >= 500 => (ExitCodes.NotReachable, " The hub has a problem; try again."),
            _ => (ExitCodes.Failed, ""),
        };
        return new(exitCode, $"The hub refused: {name}{(text.Length > 0 ? $", {text}" : "")}.{mend}", status, code);
    }

    /// <summary>No answer at all.</summary>
    public static ServiceException FromNetwork(HttpRequestException error, ServiceConnectionString connection)
    {
        var hub = $"{connection.Host}:{connection.Port}";
        return error.InnerException is AuthenticationException
            ? new(
                ExitCodes.NotReachable,
                $"The certificate of {hub} is not trusted ({Shorten(error.InnerException.Message)}). For a dev hub name its CA with --ca-file or {CliEnvironment.CaFile}.",
                inner: error
            )
            : new(
                ExitCodes.NotReachable,
                $"Cannot reach the hub at {hub} ({Shorten(error.Message)}). Is it started, and is this its address?",
                inner: error
            );
    }

    private static (int Code, string Text) Read(string body)
    {
        if (Parse(body) is not { } answer)
        {
            return (0, "");
        }
        var message = (Text(answer, "Message") ?? Text(answer, "message") ?? "").Trim();
        // Method errors carry a JSON object inside the message.
        if (Parse(message) is { } inner)
        {
            return (Number(inner, "errorCode"), Shorten(Text(inner, "message") ?? ""));
        }
        // "ErrorCode:DeviceNotFound;text"
        var semicolon = message.IndexOf(';', StringComparison.Ordinal);
        if (message.StartsWith("ErrorCode:", StringComparison.Ordinal) && semicolon > 0)
        {
            message = message[(semicolon + 1)..];
        }
        return (Number(answer, "errorCode"), Shorten(message.TrimEnd('.')));
    }

    private static JsonObject? Parse(string text)
    {
        try
        {
            return text.StartsWith('{') ? JsonNode.Parse(text) as JsonObject : null;
        }
        catch (JsonException)
        {
            // Not JSON: a proxy's page, or plain words. The status tells enough.
            return null;
        }
    }

    private static string? Text(JsonObject answer, string name) =>
        answer[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static int Number(JsonObject answer, string name) =>
        answer[name] is JsonValue value && value.TryGetValue<int>(out var number) ? number : 0;

    private static string Shorten(string text) => text.Length > LongestText ? text[..LongestText] : text;
}
