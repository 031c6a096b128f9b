namespace EdgeDm.DevHub;

/// <summary>IoT Hub's error codes that the dev hub tells; the first three digits are the HTTP status.</summary>
public enum HubError
{
    ArgumentInvalid = 400004,
    IotHubFormatError = 400006,
    IotHubUnauthorizedAccess = 401002,
    DeviceNotFound = 404001,
    ModuleNotFound = 404010,
    DeviceNotOnline = 404103,
    ModuleAlreadyExistsOnDevice = 409301,
    PreconditionFailed = 412001,
    MessageTooLarge = 413001,
    QuotaExceeded = 403002,
    ServerError = 500001,
    ServiceUnavailable = 503001,
    GatewayTimeout = 504101,
}

/// <summary>A request cannot be done; the message says what is wrong, in words for the caller.</summary>
public sealed class HubException(HubError error, string message) : Exception(message)
{
    private const int CodesPerStatus = 1000;

    /// <summary>IoT Hub's name and number of it.</summary>
    public HubError Error { get; } = error;

    /// <summary>HTTP status.</summary>
    public int Status => (int)Error / CodesPerStatus;
}
