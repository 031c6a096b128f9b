using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm roots sign</c>.</summary>
internal static class RootsSignCommand
{
    public static Command Create()
    {
        var list = new Argument<string>("list") { Description = "The root list; the signature is added to the file." };
        var key = new Option<string>("--root-key")
        {
            Description = "Private root key that gateways trust now (root.key.pem).",
            HelpName = "file",
            Required = true,
        };
        return new Command(
            "sign",
            """
            Adds a root key's signature to a root list. Look at the list first, with 'roots show'.

            A gateway takes a list when as many of its present roots signed it as its host-access.json asks for, all of them
            unless it says otherwise. Send the file to each holder of a root key in turn.
            """
        )
        {
            list,
            key,
        }.Runs(
            (result, context, cancellationToken) =>
                RootsSignHandler.RunAsync(
                    new(result.GetRequiredValue(list), result.GetRequiredValue(key)),
                    context,
                    cancellationToken
                )
        );
    }
}
