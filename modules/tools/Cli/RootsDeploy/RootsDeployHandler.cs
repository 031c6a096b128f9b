using System.Text;
using System.Text.Json.Nodes;
using EdgeDm.Contracts;

namespace EdgeDm.Cli;

/// <summary>Sets the desired root list.</summary>
internal static class RootsDeployHandler
{
    private const int MaxParts = TrustedRootsNames.MaxRootListParts;

    public static async Task<int> RunAsync(
        RootsDeployOptions options,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        var list = await RootListFile.ReadAsync(options.List, cancellationToken);
        if (list.SignatureCount == 0)
        {
            throw new CliException(
                ExitCodes.Failed,
                $"'{options.List}' is not signed, so no gateway takes it. Sign it first: 'edgedm roots sign'."
            );
        }
        var group = new JsonObject { [TrustedRootsNames.RootList] = PartsOf(Encoding.UTF8.GetString(list.ToBytes())) };
        var label = DesiredGroup.Label(group, options.Deployment, context.Time);
        var (_, after) = await DesiredGroup.ReplaceAsync(TwinNames.TrustedRoots, group, target, cancellationToken);
        context.Terminal.Result(
            () =>
                new JsonObject
                {
                    ["deploymentId"] = label,
                    ["version"] = list.Version,
                    ["desiredVersion"] = after.Desired["$version"]?.DeepClone(),
                },
            words =>
                words.Say(
                    $"Deployed version {list.Version} as {label}. See what the gateway says with 'edgedm twin show', at trustedRoots."
                )
        );
        return ExitCodes.Done;
    }

    /// <summary>In parts that a twin takes; the list is ASCII or escaped, so any place will do but between two halves of a character.</summary>
    private static JsonArray PartsOf(string text)
    {
        var parts = new JsonArray();
        var part = new StringBuilder();
        var bytes = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (bytes + rune.Utf8SequenceLength > TwinFit.MaxStringBytes)
            {
                parts.Add((JsonNode)part.ToString());
                part.Clear();
                bytes = 0;
            }
            part.Append(rune.ToString());
            bytes += rune.Utf8SequenceLength;
        }
        parts.Add((JsonNode)part.ToString());
        return parts.Count <= MaxParts
            ? parts
            : throw new CliException(
                ExitCodes.Failed,
                $"The list has {Encoding.UTF8.GetByteCount(text)} bytes; a twin takes {MaxParts * TwinFit.MaxStringBytes}."
            );
    }
}

/// <summary>What was asked for.</summary>
/// <param name="List">The signed list's file.</param>
/// <param name="Deployment">The operator's label; null = a new one.</param>
internal sealed record RootsDeployOptions(string List, string? Deployment);
