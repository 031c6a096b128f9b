using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm update verify</c>.</summary>
internal static class UpdateVerifyCommand
{
    public static Command Create()
    {
        var update = new Argument<string>("update") { Description = "A published folder, or a bundle (.edgedm.tar)." };
        var roots = new Option<string[]>("--root")
        {
            Description = "Public root key (root.jwk.json) that a gateway trusts; may be given several times.",
            HelpName = "file",
            Required = true,
        };
        return new Command(
            "verify",
            """
            Checks a published update as a gateway would: signature, manifest, and every file's size and SHA-256.
            """
        )
        {
            update,
            roots,
        }.Runs(
            (result, context, cancellationToken) =>
                UpdateVerifyHandler.RunAsync(
                    new(result.GetRequiredValue(update), result.GetRequiredValue(roots)),
                    context,
                    cancellationToken
                )
        );
    }
}
