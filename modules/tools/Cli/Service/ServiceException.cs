namespace EdgeDm.Cli;

/// <summary>The hub's answer was no, or there was none.</summary>
/// <param name="exitCode">One of <see cref="ExitCodes"/>.</param>
/// <param name="message">What happened and what to do.</param>
/// <param name="status">HTTP status; 0 when there was no answer.</param>
/// <param name="code">IoT Hub's error code, for example 404103; 0 when it sent none.</param>
/// <param name="inner">What caused it.</param>
internal sealed class ServiceException(
    int exitCode,
    string message,
    int status = 0,
    int code = 0,
    Exception? inner = null
) : CliException(exitCode, message, inner: inner)
{
    public const int DeviceNotOnline = 404103;

    /// <summary>HTTP status; 0 when there was no answer.</summary>
    public int Status { get; } = status;

    /// <summary>IoT Hub's error code; 0 when it sent none.</summary>
    public int Code { get; } = code;

    /// <summary>True when trying again later can help: the hub or the gateway is away, busy, or comes up.</summary>
    public bool IsTransient => Status is 0 or 408 or 429 or >= 500 || Code == DeviceNotOnline;
}
