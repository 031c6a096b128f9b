using System.Text.Json.Nodes;
using EdgeDm.Updates;

namespace EdgeDm.Cli;

/// <summary>Signs a root list.</summary>
internal static class RootsSignHandler
{
    public static async Task<int> RunAsync(
        RootsSignOptions options,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var list = await RootListFile.ReadAsync(options.List, cancellationToken);
        using var key = await RootKeyFile.OpenAsync(options.RootKey, context, cancellationToken);
        if (list.SignersAmong(TrustedRoots.Parse([key.PublicJwk])).Count == 0)
        {
            list = list.SignedBy(key);
            await RootListFile.ReplaceAsync(options.List, list, cancellationToken);
        }
        context.Terminal.Result(
            () =>
                new JsonObject
                {
                    ["version"] = list.Version,
                    ["rootKeyId"] = key.KeyId,
                    ["signatures"] = list.SignatureCount,
                },
            terminal =>
                terminal.Say(
                    $"root list  version {list.Version}, signed by {key.KeyId}; {list.SignatureCount} signatures"
                )
        );
        return ExitCodes.Done;
    }
}

/// <summary>What was asked for.</summary>
/// <param name="List">The list's file.</param>
/// <param name="RootKey">The private key's file.</param>
internal sealed record RootsSignOptions(string List, string RootKey);
