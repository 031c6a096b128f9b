using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm roots create</c>.</summary>
internal static class RootsCreateCommand
{
    public static Command Create()
    {
        var target = new Option<string>("--out")
        {
            Description = "File to write; must not exist.",
            HelpName = "file",
            Required = true,
        };
        var from = new Option<string?>("--from")
        {
            Description = "The list before it: its roots and disabled keys stay, and the version is the next one.",
            HelpName = "file",
        };
        var version = new Option<long?>("--version")
        {
            Description = "The list's version, above that of the list before it. [default: the next one, or 1]",
            HelpName = "number",
        };
        var roots = Several("--root", "file", "Public root key (root.jwk.json) that gateways shall trust.");
        var disabledRoots = Several("--disable-root", "key-id", "Root key that they shall not trust any more.");
        var disabledKeys = Several(
            "--disable-signing-key",
            "key",
            "Signing key that they shall not trust any more: its signing.sjwk, or its fingerprint."
        );
        return new Command(
            "create",
            """
            Makes a root list: the root keys that gateways shall trust, and the keys that they shall not.

            A gateway begins with the trustedRoots of its host-access.json. A list takes their place once enough of the present
            roots have signed it ('roots sign'), and a newer list takes its place. The form is Device Update's root key package.
            """
        )
        {
            target,
            from,
            version,
            roots,
            disabledRoots,
            disabledKeys,
        }.Runs(
            (result, context, cancellationToken) =>
                RootsCreateHandler.RunAsync(
                    new(
                        result.GetRequiredValue(target),
                        result.GetValue(from),
                        result.GetValue(version),
                        result.GetValue(roots) ?? [],
                        result.GetValue(disabledRoots) ?? [],
                        result.GetValue(disabledKeys) ?? []
                    ),
                    context,
                    cancellationToken
                )
        );
    }

    private static Option<string[]> Several(string name, string helpName, string description) =>
        new(name) { Description = $"{description} May be given several times.", HelpName = helpName };
}
