using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm roots show</c>.</summary>
internal static class RootsShowCommand
{
    public static Command Create()
    {
        var list = new Argument<string>("list") { Description = "The root list." };
        var roots = new Option<string[]>("--root")
        {
            Description =
                "Public root key (root.jwk.json) whose signature to look for, beside those that the list itself names; may be given several times.",
            HelpName = "file",
        };
        return new Command("show", "Shows a root list: its keys, the disabled ones, and who signed it.")
        {
            list,
            roots,
        }.Runs(
            (result, context, cancellationToken) =>
                RootsShowHandler.RunAsync(
                    new(result.GetRequiredValue(list), result.GetValue(roots) ?? []),
                    context,
                    cancellationToken
                )
        );
    }
}
