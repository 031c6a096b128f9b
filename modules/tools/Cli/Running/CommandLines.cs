using System.CommandLine;
using System.CommandLine.Parsing;
using EdgeDm.Contracts;
using EdgeDm.Updates;

namespace EdgeDm.Cli;

/// <summary>Between System.CommandLine and the handlers: one way to bind, to run, and to end.</summary>
internal static class CommandLines
{
    public const string JsonOption = "--json";

    /// <summary>Lets the command run a handler; whatever it throws becomes a message and an exit code.</summary>
    public static Command Runs(
        this Command command,
        Func<ParseResult, CliContext, CancellationToken, Task<int>> handler
    )
    {
        foreach (var argument in command.Arguments)
        {
            argument.Validators.Add(RefuseOptions);
        }
        command.SetAction(
            async (result, cancellationToken) =>
            {
                var context = CliContext.OfProcess(result.GetValue<bool>(JsonOption));
                try
                {
                    return await handler(result, context, cancellationToken);
                }
                catch (Exception error)
                {
                    return End(error, context.Terminal, cancellationToken);
                }
            }
        );
        return command;
    }

    /// <summary>A misspelt option must not become an argument.</summary>
    private static void RefuseOptions(ArgumentResult result)
    {
        if (result.Tokens.FirstOrDefault(token => token.Value.StartsWith("--", StringComparison.Ordinal)) is { } option)
        {
            result.AddError($"There is no option '{option.Value}'.");
        }
    }

    private static int End(Exception error, Terminal terminal, CancellationToken cancellationToken)
    {
        switch (error)
        {
            case OperationCanceledException when cancellationToken.IsCancellationRequested:
                return ExitCodes.Interrupted;
            case CliException refusal:
                terminal.WriteError(refusal.ExitCode, refusal.Message, refusal.Error);
                return refusal.ExitCode;
            case EdgeDmException refusal:
                terminal.WriteError(ExitCodes.Failed, refusal.Message, refusal.Error);
                return ExitCodes.Failed;
            case UnusableKeyException or IOException or UnauthorizedAccessException:
                terminal.WriteError(ExitCodes.Failed, error.Message);
                return ExitCodes.Failed;
            default:
                // A bug. The trace helps to mend it; its messages are ours and carry no secrets.
                terminal.WriteError(ExitCodes.Failed, $"Unexpected: {error}");
                return ExitCodes.Failed;
        }
    }
}
