using System.CommandLine;

namespace EdgeDm.Cli;

/// <summary>The words of <c>edgedm update keygen</c>.</summary>
internal static class UpdateKeygenCommand
{
    public static Command Create()
    {
        var folder = new Option<string>("--out")
        {
            Description = "Folder for the keys; made when missing.",
            HelpName = "folder",
            Required = true,
        };
        var rootKey = new Option<string?>("--root-key")
        {
            Description = "Private root key (root.key.pem) that issues the signing key. [default: a new one]",
            HelpName = "file",
        };
        var noPassphrase = new Option<bool>("--no-passphrase")
        {
            Description = "Write the private keys unencrypted. For tests and demonstrations.",
        };
        return new Command(
            "keygen",
            """
            Makes a root key and a signing key that it issued (RSA, 3,072 bits).

            Writes root.key.pem and signing.key.pem (private, PKCS#8, mode 0600, encrypted with a passphrase from
            EDGEDM_PASSPHRASE or asked for), root.jwk.json (public: a gateway's host-access.json trusts it) and signing.sjwk (the
            root's word for the signing key). Keep root.key.pem offline. Existing files are never overwritten.

            With --root-key it makes only a new signing key below a root that gateways trust already.
            """
        )
        {
            folder,
            rootKey,
            noPassphrase,
        }.Runs(
            (result, context, cancellationToken) =>
                UpdateKeygenHandler.RunAsync(
                    new(result.GetRequiredValue(folder), result.GetValue(rootKey), result.GetValue(noPassphrase)),
                    context,
                    cancellationToken
                )
        );
    }
}
