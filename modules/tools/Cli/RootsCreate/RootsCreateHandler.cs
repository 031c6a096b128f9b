using System.Text.Json.Nodes;
using EdgeDm.Updates;

namespace EdgeDm.Cli;

/// <summary>Makes a root list without signatures.</summary>
internal static class RootsCreateHandler
{
    public static async Task<int> RunAsync(
        RootsCreateOptions options,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var before = options.From is { } file ? await RootListFile.ReadAsync(file, cancellationToken) : null;
        var version = options.Version ?? (before?.Version ?? 0) + 1;
        if (version <= (before?.Version ?? 0))
        {
            throw new CliException(
                ExitCodes.Usage,
                $"Version {version} is not above {before?.Version ?? 0}, and no gateway would take the list."
            );
        }
        var list = RootList.Create(
            new(
                version,
                context.Time.GetUtcNow(),
                [
                    .. before?.Trust.PublicJwks ?? [],
                    .. await Task.WhenAll(options.Roots.Select(root => File.ReadAllTextAsync(root, cancellationToken))),
                ],
                [.. (before?.Trust.DisabledRootKeys ?? []).Union(options.DisabledRoots)],
                [
                    .. (before?.Trust.DisabledSigningKeys ?? []).Union(
                        await Task.WhenAll(
                            options.DisabledSigningKeys.Select(key => FingerprintAsync(key, cancellationToken))
                        )
                    ),
                ]
            )
        );
        await RootListFile.WriteNewAsync(options.Target, list, cancellationToken);
        context.Terminal.Result(
            () => new JsonObject { ["version"] = list.Version, ["file"] = Path.GetFullPath(options.Target) },
            terminal =>
            {
                terminal.Say($"root list  version {list.Version}, {list.Trust.Count} roots, {options.Target}");
                terminal.Say("Nobody has signed it yet: have the holders of the present root keys run 'roots sign'.");
            }
        );
        return ExitCodes.Done;
    }

    /// <summary>Of a file with a signing key, or the text itself.</summary>
    private static async Task<string> FingerprintAsync(string key, CancellationToken cancellationToken) =>
        File.Exists(key) ? SigningKey.FingerprintOf(await File.ReadAllTextAsync(key, cancellationToken)) : key;
}

/// <summary>What was asked for.</summary>
/// <param name="Target">The file to write.</param>
/// <param name="From">The list before it; null when this is the first.</param>
/// <param name="Version">Null: the next one.</param>
/// <param name="Roots">Files of public root keys, beside those of <paramref name="From"/>.</param>
/// <param name="DisabledRoots">Key ids.</param>
/// <param name="DisabledSigningKeys">Files or fingerprints.</param>
internal sealed record RootsCreateOptions(
    string Target,
    string? From,
    long? Version,
    IReadOnlyList<string> Roots,
    IReadOnlyList<string> DisabledRoots,
    IReadOnlyList<string> DisabledSigningKeys
);
