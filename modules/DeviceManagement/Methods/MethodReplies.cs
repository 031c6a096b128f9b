using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeDm.Contracts;
using EdgeDm.ModuleHost;

namespace EdgeDm.DeviceManagement.Methods;

/// <summary>Direct method payloads in, answers out: 200 with data, or a 4xx with the bare error object.</summary>
internal static class MethodReplies
{
    /// <summary>Reads a payload. Throws <c>invalidJson</c> or <c>missingProperty</c>.</summary>
    public static T Read<T>(MethodCall call, JsonTypeInfo<T> typeInfo)
    {
        try
        {
            // A caller that has nothing to say sends nothing, or null.
            var payload =
                call.Payload.IsEmpty || call.Payload.Span.SequenceEqual("null"u8) ? "{}"u8 : call.Payload.Span;
            return JsonSerializer.Deserialize(payload, typeInfo)!;
        }
        catch (JsonException error)
        {
            throw ErrorRegistry.InvalidJson.Exception(
                Subsystems.DeviceManagement,
                error.Path is { Length: > 0 } path ? path : call.Name,
                $"The payload of {call.Name} cannot be read: {Cause(error)}"
            );
        }
    }

    public static MethodReply Ok<T>(T data, JsonTypeInfo<T> typeInfo) =>
        new(200, JsonSerializer.SerializeToUtf8Bytes(data, typeInfo));

    public static MethodReply Refused(ErrorObject error) =>
        new(StatusOf(error), JsonSerializer.SerializeToUtf8Bytes(error, ContractsJson.Default.ErrorObject));

    private static int StatusOf(ErrorObject error) =>
        error.Code switch
        {
            _ when error.Code == ErrorRegistry.JobNotFound.Code => 404,
            _ when error.Code == ErrorRegistry.JobConflict.Code => 409,
            _ when error.Code == ErrorRegistry.JobNotCancellable.Code => 409,
            _ when error.Code == ErrorRegistry.TooManyJobs.Code => 429,
            _ when error.Code == ErrorRegistry.HostAccessUnavailable.Code => 503,
            _ when error.Code == ErrorRegistry.NoSpace.Code => 503,
            _ => 400,
        };

    /// <summary>The serializer's words without its .NET type names.</summary>
    private static string Cause(JsonException error)
    {
        const string Lacking = "missing required properties including: ";
        var lacking = error.Message.IndexOf(Lacking, StringComparison.Ordinal);
        if (lacking >= 0)
        {
            return $"it lacks {error.Message[(lacking + Lacking.Length)..].TrimEnd('.')}.";
        }
        return error.InnerException is null ? "a value has the wrong type." : "it is not well-formed.";
    }
}
