namespace EdgeDm.Cli;

/// <summary>Text that an argument gives: itself, <c>@file</c>, or <c>-</c> for standard input.</summary>
internal static class InputText
{
    public const string Forms = "the text itself, @file, or - for standard input";

    public static async Task<string> ReadAsync(string argument, CancellationToken cancellationToken) =>
        argument switch
        {
            "-" => await Console.In.ReadToEndAsync(cancellationToken),
            ['@', .. var file] => await File.ReadAllTextAsync(file, cancellationToken),
            _ => argument,
        };
}
