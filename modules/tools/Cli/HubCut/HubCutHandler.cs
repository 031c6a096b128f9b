using System.Text.Json.Nodes;

namespace EdgeDm.Cli;

/// <summary>Cuts modules off.</summary>
internal static class HubCutHandler
{
    public static Task<int> RunAsync(
        JsonObject asked,
        bool isSilent,
        bool withHttps,
        HubTarget target,
        CliContext context,
        CancellationToken cancellationToken
    )
    {
        asked["silent"] = isSilent;
        asked["https"] = withHttps;
        return FaultSwitch.OnAsync(asked, target, context, cancellationToken);
    }
}
