using System.Globalization;
using System.Text.Json.Nodes;
using EdgeDm.Updates;

namespace EdgeDm.Cli;

/// <summary>Shows a root list.</summary>
internal static class RootsShowHandler
{
    public static async Task<int> RunAsync(
        RootsShowOptions options,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var list = await RootListFile.ReadAsync(options.List, cancellationToken);
        var given = TrustedRoots.Parse(
            await Task.WhenAll(options.Roots.Select(root => File.ReadAllTextAsync(root, cancellationToken)))
        );
        // A root that the list disables may still be one that had to sign it.
        var signers = list.SignersAmong(given)
            .Union(list.SignersAmong(TrustedRoots.Parse(list.Trust.PublicJwks)))
            .ToArray();
        var published = list.Published.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        context.Terminal.Result(
            () =>
                new JsonObject
                {
                    ["version"] = list.Version,
                    ["published"] = published,
                    ["rootKeys"] = ArrayOf(list.Trust.KeyIds),
                    ["disabledRootKeys"] = ArrayOf(list.Trust.DisabledRootKeys),
                    ["disabledSigningKeys"] = ArrayOf(list.Trust.DisabledSigningKeys),
                    ["signatures"] = list.SignatureCount,
                    ["signedBy"] = ArrayOf(signers),
                },
            terminal =>
            {
                terminal.Say($"root list  version {list.Version}, published {published}");
                SayEach(terminal, "root key", list.Trust.KeyIds);
                SayEach(terminal, "disabled root key", list.Trust.DisabledRootKeys);
                SayEach(terminal, "disabled signing key", list.Trust.DisabledSigningKeys);
                SayEach(terminal, "signed by", signers);
                if (list.SignatureCount > signers.Length)
                {
                    terminal.Say($"{list.SignatureCount - signers.Length} more signatures are by none of these keys.");
                }
            }
        );
        return ExitCodes.Done;
    }

    private static void SayEach(Terminal terminal, string what, IEnumerable<string> values)
    {
        foreach (var value in values)
        {
            terminal.Say($"{what}  {value}");
        }
    }

    private static JsonArray ArrayOf(IEnumerable<string> values) =>
        [.. values.Select(value => JsonValue.Create(value))];
}

/// <summary>What was asked for.</summary>
/// <param name="List">The list's file.</param>
/// <param name="Roots">Files of public root keys.</param>
internal sealed record RootsShowOptions(string List, IReadOnlyList<string> Roots);
