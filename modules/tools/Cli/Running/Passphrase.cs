using Spectre.Console;

namespace EdgeDm.Cli;

/// <summary>The passphrase of private keys: from the environment, or asked for. Never from the command line.</summary>
internal static class Passphrase
{
    /// <summary>Fewest characters of a new one.</summary>
    public const int MinLength = 8;

    /// <summary>A new one; asked for twice.</summary>
    public static string ForNewKey(CliContext context)
    {
        var passphrase = context.Environment.Find(CliEnvironment.Passphrase);
        if (passphrase is null)
        {
            RequireTerminal(context, "give --no-passphrase to write the keys unencrypted");
            passphrase = Ask(context, "Passphrase for the new keys:");
            if (passphrase != Ask(context, "Once more:"))
            {
                throw new CliException(ExitCodes.Usage, "The two passphrases differ.");
            }
        }
        return passphrase.Length >= MinLength
            ? passphrase
            : throw new CliException(ExitCodes.Usage, $"A passphrase has at least {MinLength} characters.");
    }

    /// <summary>The one of an existing key; null when the file is not encrypted.</summary>
    public static string? ForKey(CliContext context, string pem, string file)
    {
        if (!pem.Contains("ENCRYPTED PRIVATE KEY", StringComparison.Ordinal))
        {
            return null;
        }
        if (context.Environment.Find(CliEnvironment.Passphrase) is { } passphrase)
        {
            return passphrase;
        }
        RequireTerminal(context, $"'{file}' is encrypted");
        return Ask(context, $"Passphrase of {file}:");
    }

    private static string Ask(CliContext context, string question) =>
        context.Terminal.Ansi.Prompt(new TextPrompt<string>(Markup.Escape(question)).Secret());

    private static void RequireTerminal(CliContext context, string otherwise)
    {
        if (Console.IsInputRedirected || !context.Terminal.IsInteractive)
        {
            throw new CliException(
                ExitCodes.Usage,
                $"No terminal to ask for the passphrase: set {CliEnvironment.Passphrase}; {otherwise}."
            );
        }
    }
}
