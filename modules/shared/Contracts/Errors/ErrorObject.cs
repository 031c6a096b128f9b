using System.Collections.Immutable;

namespace EdgeDm.Contracts;

/// <summary>
/// What a person or a program gets when something was refused or failed. The same five members everywhere: under
/// <c>__errors</c> of a configuration group, as the payload of a direct method's 400, in a job, in HostAccess's answers.
/// </summary>
/// <param name="Subsystem">The part that found the error; one of <see cref="Subsystems"/>.</param>
/// <param name="Context">What it is about: the group, the path in the document, the file id, the step. Never a secret.</param>
/// <param name="Code">A code of <see cref="ErrorRegistry"/>.</param>
/// <param name="Message">What happened, to what, and what to do. Plain English, at most 1,024 characters.</param>
/// <param name="Parameters">The values behind the message, by name. <c>name</c> is the registry's name of the code.</param>
public sealed record ErrorObject(
    string Subsystem,
    string Context,
    int Code,
    string Message,
    ImmutableSortedDictionary<string, string> Parameters
)
{
    /// <summary>The registry's name of the code, for example <c>digestMismatch</c>; empty when an older peer sent none.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string Name => Parameters is not null && Parameters.TryGetValue("name", out var name) ? name : "";
}

/// <summary>The parts that report errors.</summary>
public static class Subsystems
{
    /// <summary>The DeviceManagement module.</summary>
    public const string DeviceManagement = "DeviceManagement";

    /// <summary>The FirmwareDownload module.</summary>
    public const string FirmwareDownload = "FirmwareDownload";

    /// <summary>The Telemetry module.</summary>
    public const string Telemetry = "Telemetry";

    /// <summary>The privileged sidecar.</summary>
    public const string HostAccess = "HostAccess";

    /// <summary>The manifest and signature library, until the program that used it puts its own name there.</summary>
    public const string Updates = "Updates";
}

/// <summary>An error that ends in front of a person as an <see cref="ErrorObject"/>.</summary>
public sealed class EdgeDmException : Exception
{
    /// <summary>Wraps an error object, usually one that <see cref="ErrorCode.Error"/> made.</summary>
    public EdgeDmException(ErrorObject error, Exception? innerException = null)
        : base(error.Message, innerException) => Error = error;

    /// <summary>The error as it is told.</summary>
    public ErrorObject Error { get; }
}
