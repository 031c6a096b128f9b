namespace EdgeDm.DevHub;

/// <summary>
/// IoT Hub's error codes that the dev hub tells (its documentation, "Troubleshoot Azure IoT Hub error codes"); the first three
/// digits are the HTTP status, and the name is what the header <c>iothub-errorcode</c> says.
/// </summary>
public enum HubError
{
    InvalidOperation = 400003,
    ArgumentInvalid = 400004,
    IotHubFormatError = 400006,
    InvalidFileUploadCorrelationId = 400015,
    ExpiredFileUploadCorrelationId = 400016,
    InvalidConfigurationTargetCondition = 400401,
    InvalidConfigurationContent = 400402,
    CannotModifyImmutableConfigurationContent = 400403,
    InvalidConfigurationCustomMetricsQuery = 400404,
    IotHubUnauthorizedAccess = 401002,
    SystemModuleModifyUnauthorizedAccess = 401100,
    IotHubQuotaExceeded = 403002,
    JobQuotaExceeded = 403003,
    DeviceMaximumQueueDepthExceeded = 403004,
    DeviceMaximumActiveFileUploadLimitExceeded = 403006,
    InvalidMessageExpiryTime = 403009,
    DeviceNotFound = 404001,
    JobNotFound = 404002,
    ModuleNotFound = 404010,
    DeviceNotOnline = 404103,
    ConfigurationNotFound = 404301,
    DeviceAlreadyExists = 409001,
    JobAlreadyExists = 409104,
    ModuleAlreadyExistsOnDevice = 409301,
    ConfigurationAlreadyExists = 409401,
    PreconditionFailed = 412001,
    MessageTooLarge = 413001,
    TooManyDevices = 413002,
    TooManyModulesOnDevice = 413003,
    ConfigurationCountLimitExceeded = 413101,
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
