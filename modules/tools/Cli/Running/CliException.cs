using EdgeDm.Contracts;

namespace EdgeDm.Cli;

/// <summary>Ends a command. The message is for the person at the keyboard: what happened, to what, what to do. Never a secret.</summary>
/// <param name="exitCode">One of <see cref="ExitCodes"/>.</param>
/// <param name="message">In words.</param>
/// <param name="error">The gateway's own error, when it sent one.</param>
/// <param name="inner">What caused it.</param>
internal class CliException(int exitCode, string message, ErrorObject? error = null, Exception? inner = null)
    : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;

    public ErrorObject? Error { get; } = error;
}
